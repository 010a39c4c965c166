package net.postern.db;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import net.postern.testkit.Await;
import net.postern.testkit.Ports;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One life of a bundled server, with everything that can happen to it. */
class BundledPostgresTest {
  @TempDir Path data;

  private static int ask(BundledPostgres postgres, String sql) throws Exception {
    BundledPostgres.Access access = postgres.access();
    try (Connection connection =
            DriverManager.getConnection(access.url(), access.user(), access.password());
        Statement statement = connection.createStatement()) {
      if (!statement.execute(sql)) {
        return statement.getUpdateCount();
      }
      try (ResultSet row = statement.getResultSet()) {
        return row.next() ? row.getInt(1) : -1;
      }
    }
  }

  private static void kill(long pid) {
    ProcessHandle process = ProcessHandle.of(pid).orElseThrow();
    process.destroyForcibly();
    process.onExit().join();
  }

  @AfterEach
  void leaveNothingBehind() throws Exception {
    Path directory = data.resolve("postgresql/data");
    BundledPostgres.leftBehind(directory).ifPresent(process -> kill(process.pid()));
  }

  @Test
  void livesThroughEverything() throws Exception {
    Path directory = data.resolve("postgresql/data");
    BundledPostgres first = BundledPostgres.start(data, 0);
    int port = Integer.parseInt(Files.readString(data.resolve("postgresql/port")).strip());
    ask(first, "create table t as select 7 as n");

    // It dies: it is started again, and what was committed is there.
    long pid = first.pid();
    kill(pid);
    Await.until(() -> first.restarts() == 1 && first.pid() != pid);
    Await.until(() -> answers(first));
    assertEquals(7, ask(first, "select n from t"));

    // Postern dies and leaves it behind: the next one adopts it, on the same port.
    long left = first.pid();
    assertEquals(left, BundledPostgres.leftBehind(directory).orElseThrow().pid());
    BundledPostgres second = BundledPostgres.start(data, 0);
    assertEquals(left, second.pid());
    assertEquals(7, ask(second, "select n from t"));
    assertTrue(BundledPostgres.running(data).isPresent());

    // Asked for another port, the one left behind is stopped and started there.
    int free = Ports.free();
    first.retire();
    second.retire();
    BundledPostgres third = BundledPostgres.start(data, free);
    assertNotEquals(left, third.pid());
    assertTrue(third.access().url().contains(":" + free + "/"), third.access()::url);
    assertEquals(7, ask(third, "select n from t"));
    third.close();
    assertTrue(BundledPostgres.running(data).isEmpty());
    assertTrue(BundledPostgres.leftBehind(directory).isEmpty());

    // The machine went down: postmaster.pid names a process number that another program has now.
    Path lock = directory.resolve("postmaster.pid");
    List<String> lines =
        new ArrayList<>(
            List.of(
                "" + ProcessHandle.current().pid(), directory.toString(), "1", "" + port, "", "*"));
    Files.write(lock, lines);
    assertTrue(BundledPostgres.leftBehind(directory).isEmpty());
    BundledPostgres fourth = BundledPostgres.start(data, free);
    assertEquals(7, ask(fourth, "select n from t"));
    fourth.close();

    // Its port is taken: a fixed one is an error that says so, a found one is found anew.
    try (ServerSocket socket = new ServerSocket(free, 1, InetAddress.getLoopbackAddress())) {
      assertTrue(socket.isBound());
      DatabaseException taken =
          assertThrows(DatabaseException.class, () -> BundledPostgres.start(data, free));
      assertTrue(taken.toString().contains("is taken by another program"), taken::toString);
      BundledPostgres fifth = BundledPostgres.start(data, 0);
      assertFalse(fifth.access().url().contains(":" + free + "/"));
      assertEquals(7, ask(fifth, "select n from t"));
      fifth.close();
    }

    // A crash left the port's file empty, and half a database beside the whole one.
    Files.writeString(data.resolve("postgresql/port"), "");
    BundledPostgres sixth = BundledPostgres.start(data, 0);
    assertEquals(7, ask(sixth, "select n from t"));
    sixth.close();

    // Made by another version.
    Files.writeString(directory.resolve("PG_VERSION"), "12\n");
    DatabaseException version =
        assertThrows(DatabaseException.class, () -> BundledPostgres.start(data, 0));
    assertTrue(version.toString().contains("was made by PostgreSQL 12"), version::toString);
  }

  private static boolean answers(BundledPostgres postgres) {
    try {
      return ask(postgres, "select 1") == 1;
    } catch (Exception e) {
      return false;
    }
  }
}
