package net.postern.blob;

import java.util.UUID;
import net.postern.testkit.S3Server;
import org.junit.jupiter.api.AfterAll;

/** The contract on s3proxy. */
class S3StoreTest extends S3StoreContract {
  private static final S3Server SERVER = new S3Server("one");
  private final String prefix = UUID.randomUUID() + "/";

  @AfterAll
  static void stop() {
    SERVER.close();
  }

  @Override
  protected S3Settings settings() {
    return S3TestStores.proxy("s3", SERVER.endpoint(), "one", prefix);
  }
}
