package net.postern.blob;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.NoSuchFileException;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.UUID;
import java.util.stream.Stream;
import net.postern.testkit.Await;
import net.postern.testkit.FaultyProxy;
import net.postern.testkit.FaultyProxy.Fault;
import net.postern.testkit.S3Server;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A store whose server, or the way to it, misbehaves; and a process that dies at any request. */
class S3FaultTest {
  private static final S3Server SERVER = new S3Server("one");
  private static final byte[] CONTENT = new byte[10 << 20];
  private static final int[] STEPS = {1_000, 5 << 20, 1, (5 << 20) - 1_001};

  static {
    new Random(9).nextBytes(CONTENT);
  }

  private final String prefix = UUID.randomUUID() + "/";
  private final FaultyProxy proxy = make();

  /** Not through the proxy. */
  private final S3Store direct = new S3Store(settings(SERVER.endpoint()));

  private static FaultyProxy make() {
    try {
      return new FaultyProxy(SERVER.endpoint());
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  @AfterAll
  static void stop() {
    SERVER.close();
  }

  @AfterEach
  void close() throws IOException {
    proxy.close();
    direct.close();
  }

  private S3Settings settings(URI endpoint) {
    return S3TestStores.proxy("s3", endpoint, "one", prefix);
  }

  private S3Store through() {
    return new S3Store(settings(proxy.endpoint()));
  }

  private static String fresh() {
    return "segments/" + UUID.randomUUID();
  }

  /** Grows an object, as far as it goes; how many bytes were acknowledged. */
  private static int grow(S3Store store, String object) {
    int done = 0;
    try (Appender appender = store.append(object)) {
      for (int step : STEPS) {
        appender.append(ByteBuffer.wrap(CONTENT, done, step));
        done += step;
      }
    } catch (IOException e) {
      // The process is dead, as far as the server can see.
    }
    return done;
  }

  /**
   * The process dies before, or right after, each request of an object's life. What was
   * acknowledged can be read by another process at once, and when that one has put left-overs
   * together, from one whole object.
   */
  @Test
  void whateverRequestIsTheLastWhatWasAcknowledgedStays() throws IOException {
    int requests = requestsOfALife();
    assertTrue(requests >= 12, "two looks, four pieces, an upload of two parts: " + requests);
    for (int last = 0; last <= requests; last++) {
      for (boolean lost : new boolean[] {false, true}) {
        dieAt(last, lost);
      }
    }
  }

  private int requestsOfALife() throws IOException {
    int before = proxy.requests().size();
    try (S3Store store = through()) {
      String object = fresh();
      assertEquals(CONTENT.length, grow(store, object), "the control");
      Await.until(() -> store.inPieces() == 0);
      assertEquals(CONTENT.length, direct.length(object));
    }
    return proxy.requests().size() - before;
  }

  private void dieAt(int last, boolean answerLost) throws IOException {
    int from = proxy.requests().size();
    proxy.rule(
        request ->
            request.number() - from <= last
                ? FaultyProxy.NONE
                : new Fault.Cut(answerLost && request.number() - from == last + 1));
    String object = fresh();
    int acknowledged;
    S3Settings.Limits once =
        new S3Settings.Limits(
            Duration.ofSeconds(20), Duration.ofSeconds(20), Duration.ofSeconds(20), 0);
    try (S3Store store = new S3Store(S3TestStores.withLimits(settings(proxy.endpoint()), once))) {
      acknowledged = grow(store, object);
    }
    String when = "after request " + last + ", acknowledged " + acknowledged;
    byte[] expected = Arrays.copyOf(CONTENT, acknowledged);
    if (acknowledged > 0) {
      assertTrue(direct.length(object) >= acknowledged, when);
      assertArrayEquals(expected, direct.range(object, 0, acknowledged), when);
    }
    proxy.fault(FaultyProxy.NONE);
    try (S3Store other = later()) {
      other.tidy();
      if (acknowledged > 0) {
        assertArrayEquals(expected, other.range(object, 0, acknowledged), when);
        assertTrue(other.listPieces(object).isEmpty(), "put together " + when);
      }
    }
    try (S3Calls calls = new S3Calls(settings(SERVER.endpoint()))) {
      assertEquals(List.of(), calls.unfinished(prefix), "uploads left " + when);
    }
    direct.delete(object);
  }

  /** Another process, days later. */
  private S3Store later() {
    return new S3Store(
        settings(SERVER.endpoint()), Clock.offset(Clock.systemUTC(), Duration.ofDays(5)));
  }

  private S3Calls calls() {
    return new S3Calls(settings(SERVER.endpoint()));
  }

  private void putPiece(S3Calls calls, String object, int offset, int length) throws IOException {
    calls.put(
        S3Pieces.key(prefix + object, offset),
        new S3Calls.Body(CONTENT, offset, length),
        Optional.empty());
  }

  /** An object is put together that somebody still writes, and who dies then. */
  @Test
  void whatIsAppendedToAnObjectThatWasPutTogetherStays() throws IOException {
    String object = fresh();
    byte[] expected = Arrays.copyOf(CONTENT, 150);
    try (S3Store slow = through();
        S3Store other = later()) {
      Appender appender = slow.append(object);
      appender.append(ByteBuffer.wrap(CONTENT, 0, 100));
      other.tidy();
      assertTrue(other.listPieces(object).isEmpty());
      appender.append(ByteBuffer.wrap(CONTENT, 100, 50));
      assertArrayEquals(expected, slow.range(object, 0, 150), "by who writes");
    }
    assertEquals(150, direct.length(object));
    assertArrayEquals(expected, direct.range(object, 0, 150));
    try (S3Store other = later()) {
      other.tidy();
    }
    assertTrue(direct.listPieces(object).isEmpty());
    assertArrayEquals(expected, direct.range(object, 0, 150));
  }

  @Test
  void aPieceThatComesWhileOthersArePutTogetherStays() throws IOException {
    String object = fresh();
    try (S3Calls calls = calls();
        S3Store store = through()) {
      putPiece(calls, object, 0, 100);
      proxy.rule(
          request -> {
            if (request.method().equals("PUT")) {
              try {
                putPiece(calls, object, 100, 50);
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            }
            return FaultyProxy.NONE;
          });
      store.joinLeftOver(object);
    }
    assertEquals(1, direct.listPieces(object).count(), "the control: it came in between");
    assertArrayEquals(Arrays.copyOf(CONTENT, 150), direct.range(object, 0, 150));
  }

  /** What is read in order to be put together comes damaged: the good pieces stay. */
  @Test
  void whatComesDamagedIsNotPutTogether() throws IOException {
    String pieces = fresh();
    String longer = fresh();
    byte[] expected = Arrays.copyOf(CONTENT, 150);
    try (S3Calls calls = calls();
        S3Store store = through()) {
      for (String object : List.of(pieces, longer)) {
        putPiece(calls, object, 0, 100);
        putPiece(calls, object, 100, 50);
      }
      // A part of a whole object, which has no digest of its own; pieces go on behind it.
      String upload = calls.beginMultipart(prefix + longer, Optional.empty());
      calls.completeMultipart(
          prefix + longer,
          upload,
          List.of(calls.part(prefix + longer, upload, 1, new S3Calls.Body(CONTENT, 0, 120))),
          120);
      for (String object : List.of(pieces, longer)) {
        for (int damaged = 1; damaged <= 2; damaged++) {
          int which = damaged;
          int[] gets = new int[1];
          proxy.rule(
              request ->
                  request.method().equals("GET")
                          && !request.path().contains("?")
                          && ++gets[0] == which
                      ? new Fault.Corrupt(true)
                      : FaultyProxy.NONE);
          IOException failure =
              assertThrows(IOException.class, () -> store.joinLeftOver(object), object);
          assertTrue(failure.toString().contains("as it was written"), failure::toString);
          assertEquals(2, direct.listPieces(object).count());
          assertArrayEquals(expected, direct.range(object, 0, 150));
        }
        proxy.fault(FaultyProxy.NONE);
        store.joinLeftOver(object);
        assertEquals(0, direct.listPieces(object).count(), "the control");
        assertArrayEquals(expected, direct.range(object, 0, 150));
      }
    }
  }

  /** A hole, as damage leaves it: those pieces stay, and the others' turn comes all the same. */
  @Test
  void whatCannotBePutTogetherHoldsUpNobody() throws IOException {
    List<String> broken = Stream.generate(S3FaultTest::fresh).limit(4).toList();
    List<String> good = Stream.generate(S3FaultTest::fresh).limit(4).toList();
    try (S3Calls calls = calls();
        S3Store other = later()) {
      for (int i = 0; i < 4; i++) {
        putPiece(calls, broken.get(i), 0, 10);
        putPiece(calls, broken.get(i), 20, 10);
        putPiece(calls, good.get(i), 0, 10);
        putPiece(calls, good.get(i), 10, 10);
      }
      other.tidy();
    }
    for (int i = 0; i < 4; i++) {
      assertTrue(direct.listPieces(good.get(i)).isEmpty());
      assertEquals(2, direct.listPieces(broken.get(i)).count());
      assertEquals(10, direct.range(broken.get(i), 20, 10).length);
    }
    try (S3Calls calls = calls()) {
      assertEquals(List.of(), calls.unfinished(prefix));
    }
  }

  @Test
  void whoOnlyLooksChangesNothing() throws IOException {
    String object = fresh();
    try (S3Calls calls = calls();
        S3Store other = later()) {
      putPiece(calls, object, 0, 10);
      other.list("segments", each -> {});
      for (int i = 0; i < 20; i++) {
        assertEquals(1, pieces(object), "what would be done is done in the background");
      }
    }
    try (S3Store node = later()) {
      node.keepTidy();
      node.list("segments", each -> {});
      // The control: a node does it.
      Await.until(() -> pieces(object) == 0);
    }
  }

  private int pieces(String object) {
    try {
      return direct.listPieces(object).count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The control: what is young may be another process's work, and is left alone. */
  @Test
  void youngPiecesAndUploadsAreLeftAlone() throws IOException {
    String object = fresh();
    try (S3Calls calls = new S3Calls(settings(SERVER.endpoint()))) {
      String key = prefix + object;
      calls.put(S3Pieces.key(key, 0), new S3Calls.Body(CONTENT, 0, 10), Optional.empty());
      calls.beginMultipart(key, Optional.empty());
      direct.tidy();
      assertEquals(1, calls.unfinished(prefix).size());
      assertFalse(direct.listPieces(object).isEmpty());
    }
  }

  @Test
  void aWriteWhoseAnswerIsLostIsTriedAgainAndCountsOnce() throws IOException {
    int[] first = new int[1];
    proxy.rule(
        request ->
            request.method().equals("PUT") && first[0]++ == 0
                ? new Fault.Cut(true)
                : FaultyProxy.NONE);
    try (S3Store store = through()) {
      String object = fresh();
      try (Appender appender = store.append(object)) {
        appender.append(ByteBuffer.wrap(CONTENT, 0, 100));
      }
      assertEquals(100, direct.length(object));
      assertTrue(store.requests().put() >= 2, "both tries count");
    }
  }

  @Test
  void anObjectThatSomebodyElseBeganMeanwhileIsNotReplaced() throws IOException {
    String object = fresh();
    try (S3Store store = through();
        Appender mine = store.append(object);
        Appender theirs = direct.append(object)) {
      theirs.append(ByteBuffer.wrap(CONTENT, 0, 100));
      IOException failure =
          assertThrows(IOException.class, () -> mine.append(ByteBuffer.wrap(CONTENT, 100, 100)));
      assertTrue(failure.toString().contains("exists already"), failure::toString);
      assertThrows(IOException.class, () -> mine.append(ByteBuffer.wrap(CONTENT, 0, 1)));
    }
    assertArrayEquals(Arrays.copyOf(CONTENT, 100), direct.range(object, 0, 100));
  }

  @Test
  void shortOutagesAreGotOver() throws IOException {
    String object = fresh();
    try (S3Store store = through()) {
      for (Fault fault :
          List.of(
              new Fault.Answer(500, "InternalError"),
              new Fault.Answer(503, "SlowDown"),
              new Fault.Cut(false))) {
        int from = proxy.requests().size();
        proxy.rule(request -> request.number() <= from + 1 ? fault : FaultyProxy.NONE);
        store.put(object, ByteBuffer.wrap(CONTENT, 0, 10));
        assertArrayEquals(Arrays.copyOf(CONTENT, 10), store.range(object, 0, 10));
      }
    }
  }

  @Test
  void whatFailsSaysWhyAndInBoundedTime() throws IOException {
    String object = fresh();
    direct.put(object, ByteBuffer.wrap(CONTENT, 0, 10));
    try (S3Store hasty =
        new S3Store(S3TestStores.withLimits(settings(proxy.endpoint()), S3TestStores.SHORT))) {
      fails(hasty, object, new Fault.Hang(), "did not answer in time");
    }
    // What answers is given the time to.
    try (S3Store store = through()) {
      fails(store, object, new Fault.Answer(500, "InternalError"), "answered 500 (InternalError");
      fails(store, object, new Fault.Answer(503, "SlowDown"), "is overloaded");
      fails(store, object, new Fault.Answer(507, "InsufficientStorage"), "no space left");
      fails(store, object, new Fault.Answer(403, "AccessDenied"), "give it the right");
      fails(store, object, new Fault.Answer(403, "RequestTimeTooSkewed"), "clocks differ");
      fails(store, object, new Fault.Answer(301, "PermanentRedirect"), "another region");
      fails(store, object, new Fault.Cut(false), "no answer from the server");
      proxy.refusing(true);
      fails(store, object, FaultyProxy.NONE, "the server " + proxy.endpoint());
      proxy.refusing(false);
      assertEquals(10, store.range(object, 0, 10).length, "the control: it is back");
    }
  }

  private void fails(S3Store store, String object, Fault fault, String says) {
    proxy.fault(fault);
    long start = System.nanoTime();
    IOException failure = assertThrows(IOException.class, () -> store.range(object, 0, 10));
    assertTrue(failure.toString().contains(says), () -> fault + ": " + failure);
    assertTrue(failure.toString().contains("store s3: get "), failure::toString);
    assertFalse(failure instanceof NoSuchFileException, failure::toString);
    assertFalse(failure instanceof EOFException, failure::toString);
    IOException write =
        assertThrows(IOException.class, () -> store.put(object, ByteBuffer.allocate(10)));
    assertTrue(write.toString().contains(says), () -> fault + ": " + write);
    Duration took = Duration.ofNanos(System.nanoTime() - start);
    Duration bound = store.settings().limits().call().multipliedBy(2).plusSeconds(20);
    assertTrue(took.compareTo(bound) < 0, () -> fault + " took " + took);
    proxy.fault(FaultyProxy.NONE);
  }

  /** What is damaged on the way there is refused; on the way back the frame's digest shows it. */
  @Test
  void damagedUploadsAreNotTaken() throws IOException {
    String object = fresh();
    try (S3Store store = through()) {
      proxy.rule(
          request -> request.bodyBytes() == 100 ? new Fault.Corrupt(false) : FaultyProxy.NONE);
      assertThrows(IOException.class, () -> store.put(object, ByteBuffer.wrap(CONTENT, 0, 100)));
      assertThrows(NoSuchFileException.class, () -> direct.length(object));
      proxy.fault(FaultyProxy.NONE);
      store.put(object, ByteBuffer.wrap(CONTENT, 0, 100));
      assertArrayEquals(Arrays.copyOf(CONTENT, 100), direct.range(object, 0, 100), "the control");
    }
  }

  @Test
  void wrongKeysAMissingBucketAndAWrongHostAreToldApart() {
    S3Settings good = settings(SERVER.endpoint());
    says(S3TestStores.withKeys(good, "nobody", good.secretKey()), "access key \"nobody\"");
    says(S3TestStores.withKeys(good, good.accessKey(), "wrong"), "the secret key is not the one");
    says(
        S3TestStores.proxy("s3", SERVER.endpoint(), "none", ""), "has no bucket \"none\"; make it");
    says(
        S3TestStores.proxy("s3", URI.create("http://no-such-host.invalid:9000"), "one", ""),
        "the host of http://no-such-host.invalid:9000 has no address");
    URI nobody = proxy.endpoint();
    proxy.refusing(true);
    says(settings(nobody), "the server " + nobody);
  }

  private static void says(S3Settings settings, String what) {
    try (S3Store store = new S3Store(settings)) {
      for (IOException failure :
          List.of(
              assertThrows(IOException.class, store::check),
              assertThrows(IOException.class, () -> store.put(fresh(), ByteBuffer.allocate(1))),
              assertThrows(IOException.class, () -> store.range(fresh(), 0, 1)),
              assertThrows(IOException.class, () -> store.length(fresh())),
              assertThrows(IOException.class, () -> store.delete(fresh())),
              assertThrows(IOException.class, () -> store.append(fresh())))) {
        assertFalse(failure instanceof NoSuchFileException, failure::toString);
        // An answer without a body says less, and one that comes before the request's is lost.
        if (!failure.toString().contains("look at")
            && !failure.toString().contains("Error writing to server")) {
          assertTrue(failure.toString().contains(what), failure::toString);
        }
      }
    }
  }

  /** An end that fails leaves pieces; the next end that succeeds puts them together. */
  @Test
  void whatCouldNotBePutTogetherIsTriedAgain() throws IOException {
    try (S3Store store = through()) {
      String first = fresh();
      proxy.rule(
          request ->
              request.method().equals("PUT") && !request.path().contains(".0")
                  ? new Fault.Answer(500, "InternalError")
                  : FaultyProxy.NONE);
      try (Appender appender = store.append(first)) {
        appender.append(ByteBuffer.wrap(CONTENT, 0, 100));
        appender.append(ByteBuffer.wrap(CONTENT, 100, 100));
      }
      Await.until(() -> store.unfinished() == 0);
      assertEquals(1, store.inPieces());
      assertArrayEquals(Arrays.copyOf(CONTENT, 200), store.range(first, 0, 200));
      proxy.fault(FaultyProxy.NONE);
      String second = fresh();
      try (Appender appender = store.append(second)) {
        appender.append(ByteBuffer.wrap(CONTENT, 0, 100));
      }
      Await.until(() -> store.inPieces() == 0);
      assertTrue(direct.listPieces(first).isEmpty());
      assertArrayEquals(Arrays.copyOf(CONTENT, 200), direct.range(first, 0, 200));
    }
  }

  /** Whoever writes does not wait long for a part; the end has time. */
  @Test
  void theEndOfAnObjectWaitsForThePartBefore() throws IOException {
    proxy.rule(
        request ->
            request.path().contains("partNumber=")
                ? new Fault.Delay(Duration.ofMillis(500))
                : FaultyProxy.NONE);
    try (S3Store store =
        new S3Store(settings(proxy.endpoint()), Clock.systemUTC(), Duration.ofMillis(1))) {
      String object = fresh();
      int length = S3Upload.PART_BYTES + 1_000;
      try (Appender appender = store.append(object)) {
        appender.append(ByteBuffer.wrap(CONTENT, 0, length));
      }
      Await.until(() -> store.inPieces() == 0);
      assertEquals(0, store.requests().get(), "nothing is read back");
      assertTrue(direct.listPieces(object).isEmpty());
      assertArrayEquals(Arrays.copyOf(CONTENT, length), direct.range(object, 0, length));
    }
  }

  /** A mended copy that comes while an object is put together holds more, and is what stays. */
  @Test
  void whatIsPutWhileAnObjectIsPutTogetherStays() throws IOException {
    try (S3Store store = through()) {
      String object = fresh();
      proxy.rule(
          request ->
              request.method().equals("PUT") && !request.path().contains(".0")
                  ? new Fault.Delay(Duration.ofMillis(300))
                  : FaultyProxy.NONE);
      try (Appender appender = store.append(object)) {
        appender.append(ByteBuffer.wrap(CONTENT, 0, 100));
        appender.append(ByteBuffer.wrap(CONTENT, 100, 100));
      }
      store.put(object, ByteBuffer.wrap(CONTENT, 0, 300));
      assertEquals(300, store.length(object));
      Await.until(() -> store.inPieces() == 0);
      assertArrayEquals(Arrays.copyOf(CONTENT, 300), store.range(object, 0, 300));
      assertArrayEquals(Arrays.copyOf(CONTENT, 300), direct.range(object, 0, 300));
      assertTrue(direct.listPieces(object).isEmpty());
    }
  }
}
