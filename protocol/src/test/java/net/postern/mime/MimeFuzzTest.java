package net.postern.mime;

import com.code_intelligence.jazzer.junit.FuzzTest;

/**
 * Any bytes; without a fuzzing run this repeats the inputs kept under {@code src/test/resources}.
 */
class MimeFuzzTest {

  @FuzzTest(maxDuration = "5m")
  void parse(byte[] bytes) {
    MimeChecks.parseAndCheck(bytes);
    HeaderWriter.of(bytes).prepend("X-Test", "x").tagSubject("[SPAM]").write();
  }
}
