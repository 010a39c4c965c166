package net.postern.edge;

import com.code_intelligence.jazzer.api.BugDetectors;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;

/**
 * Any bytes sent to the server: it answers with well-formed replies, intake gets nothing with a
 * lone CR or LF, and afterwards neither a connection nor memory is left. Run with JAZZER_FUZZ=1 to
 * search; otherwise the stored inputs are tried.
 */
class SessionFuzzTest {
  private static final Pattern REPLIES =
      Pattern.compile("(?:[2-5]\\d\\d[ -][\\x20-\\x7e]*\\r\\n)*");
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final TestEdge EDGE = start();

  private static TestEdge start() {
    var settings = new TestEdge.Settings();
    settings.maxMessage = 100_000;
    settings.softErrors = 1000;
    settings.hardErrors = 1000;
    settings.commandTimeout = Duration.ofSeconds(5);
    return new TestEdge(settings);
  }

  @AfterAll
  static void stop() {
    EDGE.close();
  }

  @FuzzTest(maxDuration = "2m")
  void dialogue(byte[] bytes) throws IOException {
    String answer;
    // Connecting is what this test is for; Jazzer would report it as a finding.
    try (var _ = BugDetectors.allowNetworkConnections((host, port) -> true);
        Socket socket = new Socket(EDGE.address().getAddress(), EDGE.port())) {
      socket.setSoTimeout(60_000);
      socket.getOutputStream().write(bytes);
      socket.shutdownOutput();
      answer = new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
    } catch (SocketException e) {
      return; // The server had closed before it was sent everything.
    }
    if (!REPLIES.matcher(answer).matches()) {
      throw new AssertionError("not replies: " + answer);
    }
    TestEdge.Taken taken;
    while ((taken = EDGE.taken.poll()) != null) {
      String rest = taken.text().replace("\r\n", "");
      if (rest.indexOf('\r') >= 0 || rest.indexOf('\n') >= 0 || rest.indexOf('\0') >= 0) {
        throw new AssertionError("intake got a lone line end or NUL");
      }
    }
    EDGE.events.clear();
    if (!Wait.until(
        PATIENCE, () -> EDGE.server.connections() == 0 && EDGE.server.receiveMemoryUsed() == 0)) {
      throw new AssertionError("something is left of the session");
    }
  }
}
