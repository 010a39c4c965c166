package net.postern.edge;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/** The client's side of a dialogue, for tests that need more than a transcript. */
final class Dialogue implements AutoCloseable {
  private final Socket socket;
  private final BufferedReader in;

  Dialogue(Socket socket) throws IOException {
    this.socket = socket;
    socket.setSoTimeout(60_000);
    this.in =
        new BufferedReader(
            new InputStreamReader(socket.getInputStream(), StandardCharsets.ISO_8859_1));
  }

  static Dialogue with(TestEdge edge) throws IOException {
    return new Dialogue(new Socket(edge.address().getAddress(), edge.port()));
  }

  void send(String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  /** The next line; empty text when the server closed. */
  String line() throws IOException {
    String line = in.readLine();
    return line == null ? "" : line;
  }

  void expect(String start) throws IOException {
    String line = line();
    assertTrue(line.startsWith(start), "expected " + start + " but got '" + line + "'");
  }

  /** Greeting to DATA's 354. */
  void upToData() throws IOException {
    expect("220");
    send("HELO a\r\nMAIL FROM:<s@example.com>\r\nRCPT TO:<anna@example.org>\r\nDATA\r\n");
    expect("250");
    expect("250");
    expect("250");
    expect("354");
  }

  /** A whole dialogue with one message. */
  void deliver(String content) throws IOException {
    upToData();
    send(content + ".\r\nQUIT\r\n");
    expect("250 2.0.0 Ok: queued");
    expect("221");
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}
