package net.postern.testkit;

import java.net.URI;
import org.gaul.s3proxy.S3Proxy;
import org.gaul.s3proxy.auth.AuthenticationType;
import org.gaul.s3proxy.nio2blob.TransientNio2BlobStore;
import software.amazon.awssdk.services.s3.model.CreateBucketRequest;

/** An S3 server in this JVM (s3proxy) that keeps everything in memory. */
public final class S3Server implements AutoCloseable {
  public static final String ACCESS_KEY = "test-access";
  public static final String SECRET_KEY = "test-secret-that-is-long-enough";
  public static final String REGION = "us-east-1";

  private static final long MAX_REQUEST = 256 << 20;

  private final S3Proxy server;
  private final TransientNio2BlobStore content = new TransientNio2BlobStore();

  /** Starts one with some buckets, on a port of its own. */
  public S3Server(String... buckets) {
    for (String bucket : buckets) {
      content.createContainer(CreateBucketRequest.builder().bucket(bucket).build());
    }
    try {
      server =
          S3Proxy.builder()
              .endpoint(URI.create("http://127.0.0.1:0"))
              .blobStore(content)
              .v4MaxNonChunkedRequestSize(MAX_REQUEST)
              .awsAuthentication(AuthenticationType.AWS_V2_OR_V4, ACCESS_KEY, SECRET_KEY)
              .build();
      server.start();
    } catch (Exception e) {
      throw new IllegalStateException("s3proxy does not start", e);
    }
  }

  /** Where it listens. */
  public URI endpoint() {
    return URI.create("http://127.0.0.1:" + server.getPort());
  }

  @Override
  public void close() {
    try {
      server.stop();
    } catch (Exception e) {
      throw new IllegalStateException("s3proxy does not stop", e);
    }
  }
}
