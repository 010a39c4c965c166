package net.postern.db;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicInteger;
import net.postern.config.DatabaseConfig;
import net.postern.testkit.Await;
import org.jdbi.v3.core.JdbiException;

/**
 * A database for one test, on the one bundled PostgreSQL of this JVM. The server starts at the
 * first use. When the JVM ends, however it does, a guard outside of it ends the server and removes
 * its files: there may be a hundred thousand, and nobody waits for that.
 */
public final class TestDatabase {
  private static final AtomicInteger NUMBER = new AtomicInteger();

  /**
   * Waits until the JVM's end of a pipe closes. The server need not write anything any more; its
   * children go a moment after it. Another process may have its number by then.
   */
  private static final String GUARD =
      """
      trap '' HUP INT TERM
      read -r _
      data="$1/postgresql/data"
      pid=$(head -n 1 "$data/postmaster.pid")
      runs() { [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$data" ]; }
      if runs; then kill -QUIT "$pid"; fi
      i=0
      while runs && [ $i -lt 100 ]; do sleep 0.1; i=$((i + 1)); done
      if runs; then kill -KILL "$pid"; fi
      i=0
      while ! rm -rf "$1" && [ $i -lt 10 ]; do sleep 1; i=$((i + 1)); done
      """;

  private TestDatabase() {}

  /** Made when first asked for. */
  private static final class Server {
    static final Path DATA;
    static final BundledPostgres POSTGRES;

    /** Held: its pipe would be closed with it. */
    @SuppressWarnings("unused")
    private static final Process ATTENDANT;

    static {
      try {
        DATA = Files.createTempDirectory("postern-db").toRealPath();
        ATTENDANT = guard(DATA);
        POSTGRES = BundledPostgres.start(DATA, 0);
        BundledPostgres.Access access = POSTGRES.access();
        create(access, "migrated", "template1");
        Database.open(config(access, "migrated"), DATA).close();
      } catch (IOException | DatabaseException e) {
        throw new IllegalStateException("no PostgreSQL for tests", e);
      }
    }

    private static Process guard(Path data) throws IOException {
      return new ProcessBuilder("sh", "-c", GUARD, "guard", data.toString())
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .redirectError(ProcessBuilder.Redirect.DISCARD)
          .start();
    }
  }

  /** A fresh database with the schema. */
  public static Database open() {
    try {
      Database database = Database.open(config(), Server.DATA);
      try (Connection connection = database.connection()) {
        NAMES.put(database, connection.getCatalog());
      }
      return database;
    } catch (DatabaseException | SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  /** How to open a fresh database. */
  public static DatabaseConfig config() {
    BundledPostgres.Access access = Server.POSTGRES.access();
    String name = "test" + NUMBER.incrementAndGet();
    create(access, name, "migrated");
    return config(access, name);
  }

  private static synchronized void create(
      BundledPostgres.Access access, String name, String template) {
    try (Connection connection =
            DriverManager.getConnection(access.url(), access.user(), access.password());
        Statement statement = connection.createStatement()) {
      statement.execute("create database " + name + " template " + template);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private static DatabaseConfig config(BundledPostgres.Access access, String name) {
    return new DatabaseConfig(
        Optional.of(access.url().replaceAll("/postgres$", "/" + name)),
        access.user(),
        access.password(),
        0,
        4);
  }

  /** Lets nobody into a database, and throws out who is in: it is away. */
  public static void takeAway(Database database) {
    control(database, "alter database %s allow_connections false", true);
  }

  /**
   * Ends what {@link #takeAway} began. A pool that tried in vain tries again after longer and
   * longer times, up to its limit for a connection: returns when it has found the way back.
   */
  public static void bringBack(Database database) {
    control(database, "alter database %s allow_connections true", false);
    Await.until(() -> answers(database));
  }

  private static boolean answers(Database database) {
    try {
      return database.rows("select 1 as one", row -> row.getInt("one")).equals(List.of(1));
    } catch (JdbiException e) {
      return false;
    }
  }

  private static void control(Database database, String sql, boolean throwOut) {
    BundledPostgres.Access access = Server.POSTGRES.access();
    String name = nameOf(database);
    try (Connection connection =
            DriverManager.getConnection(access.url(), access.user(), access.password());
        Statement statement = connection.createStatement()) {
      statement.execute(sql.formatted(name));
      if (throwOut) {
        statement.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = '"
                + name
                + "'");
      }
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private static final java.util.Map<Database, String> NAMES =
      java.util.Collections.synchronizedMap(new java.util.IdentityHashMap<>());

  // Asked at open: once it is away it cannot be asked.
  private static String nameOf(Database database) {
    return java.util.Objects.requireNonNull(NAMES.get(database));
  }

  /** A name that no other test has. */
  public static String unique(String prefix) {
    return prefix + UUID.randomUUID().toString().substring(0, 8);
  }
}
