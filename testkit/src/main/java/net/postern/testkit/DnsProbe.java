package net.postern.testkit;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;

/** Whether a name server answers at all, asked without any library. */
final class DnsProbe {
  private static final int WAIT_MILLIS = 300;

  private DnsProbe() {}

  /** Whether any answer comes for the addresses of a name. */
  static boolean answers(InetSocketAddress server, String name) {
    ByteArrayOutputStream question = new ByteArrayOutputStream();
    // RFC 1035 §4.1.1: an id, recursion desired, one question.
    question.writeBytes(new byte[] {0x4a, 0x4b, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0});
    for (String label : name.split("\\.", -1)) {
      question.write(label.length());
      question.writeBytes(label.getBytes(StandardCharsets.US_ASCII));
    }
    question.writeBytes(new byte[] {0, 0, 1, 0, 1});
    try (DatagramSocket socket = new DatagramSocket()) {
      socket.setSoTimeout(WAIT_MILLIS);
      socket.connect(server);
      byte[] bytes = question.toByteArray();
      socket.send(new DatagramPacket(bytes, bytes.length));
      DatagramPacket answer = new DatagramPacket(new byte[1_500], 1_500);
      socket.receive(answer);
      return answer.getLength() >= 12 && answer.getData()[0] == 0x4a;
    } catch (IOException e) {
      return false;
    }
  }
}
