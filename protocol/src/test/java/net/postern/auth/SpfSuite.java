package net.postern.auth;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import net.postern.dns.MapResolver;
import net.postern.dns.MxRecord;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;

/**
 * The suites of openspf.org, which pyspf keeps. They are read from a folder {@code shared} beside
 * the project, or above it, and are no part of it.
 */
final class SpfSuite {
  private static final String ARCHIVE = "shared/peer-tests/auth.tar.xz";

  /**
   * One case of a suite.
   *
   * @param expected results that are right, the preferred one first
   * @param explanation what the sender is told; {@code DEFAULT} stands for none of the domain's
   */
  record Case(
      String name,
      MapResolver zone,
      SpfQuestion question,
      List<String> expected,
      Optional<String> explanation) {
    @Override
    public String toString() {
      return name;
    }
  }

  private SpfSuite() {}

  /** The cases of a suite; skips the test where there is no such folder. */
  static List<Case> read(String file) throws IOException {
    Path archive = archive();
    List<Case> cases = new ArrayList<>();
    Yaml yaml = new Yaml(new SafeConstructor(new LoaderOptions()));
    try (InputStream in = Files.newInputStream(archive);
        TarArchiveInputStream tar = new TarArchiveInputStream(new XZCompressorInputStream(in))) {
      TarArchiveEntry entry;
      while ((entry = tar.getNextEntry()) != null) {
        if (entry.getName().endsWith("/" + file)) {
          Reader text = new InputStreamReader(tar, StandardCharsets.UTF_8);
          for (Object scenario : yaml.loadAll(text)) {
            cases.addAll(cases(map(scenario)));
          }
          return cases;
        }
      }
    }
    throw new IllegalStateException(archive + " has no " + file);
  }

  private static Path archive() {
    for (@Nullable Path at = Path.of("..").toAbsolutePath().normalize();
        at != null;
        at = at.getParent()) {
      Path archive = at.resolve(ARCHIVE);
      if (Files.isReadable(archive)) {
        return archive;
      }
    }
    assumeTrue(false, "no folder has " + ARCHIVE + ": the suite of RFC 7208 is not tried");
    throw new IllegalStateException();
  }

  private static List<Case> cases(Map<String, Object> scenario) {
    Map<String, Object> zone = map(scenario.get("zonedata"));
    List<Case> cases = new ArrayList<>();
    map(scenario.get("tests"))
        .forEach(
            (name, value) -> {
              Map<String, Object> test = map(value);
              Object result = test.get("result");
              cases.add(
                  new Case(
                      scenario.get("description") + ": " + name,
                      resolver(zone),
                      question(test),
                      result instanceof List<?> several
                          ? several.stream().map(String::valueOf).toList()
                          : List.of(String.valueOf(result)),
                      Optional.ofNullable(test.get("explanation")).map(String::valueOf)));
            });
    return cases;
  }

  private static SpfQuestion question(Map<String, Object> test) {
    String sender = String.valueOf(test.get("mailfrom"));
    String helo = String.valueOf(test.get("helo"));
    InetAddress client = InetAddress.ofLiteral(String.valueOf(test.get("host")));
    int at = sender.lastIndexOf('@');
    return new SpfQuestion(
        client,
        SpfQuestion.Identity.MAIL_FROM,
        at < 0 ? "" : sender.substring(0, at),
        sender.isEmpty() ? helo : sender.substring(at + 1),
        helo,
        "receiver.example");
  }

  /**
   * What the zone has, as the suite's own description says: a policy of type SPF stands for one of
   * type TXT where there is none; a name with TIMEOUT does not answer for types that it has no
   * records of.
   */
  private static MapResolver resolver(Map<String, Object> zone) {
    MapResolver resolver = new MapResolver();
    zone.forEach(
        (name, records) -> {
          Map<String, List<Object>> byType = new TreeMap<>();
          for (Object record : (List<?>) records) {
            if (record instanceof String only) {
              byType.computeIfAbsent(only, type -> new ArrayList<>());
            } else {
              map(record)
                  .forEach(
                      (type, value) ->
                          byType.computeIfAbsent(type, key -> new ArrayList<>()).add(value));
            }
          }
          List<Object> policies = byType.getOrDefault("SPF", List.of());
          List<Object> texts = byType.getOrDefault("TXT", policies);
          put(resolver, name, byType, texts);
        });
    return resolver;
  }

  private static void put(
      MapResolver resolver, String name, Map<String, List<Object>> byType, List<Object> texts) {
    String[] joined =
        texts.stream()
            .filter(text -> !"NONE".equals(text))
            .map(
                text ->
                    text instanceof List<?> parts
                        ? String.join("", parts.stream().map(String::valueOf).toList())
                        : String.valueOf(text))
            .toArray(String[]::new);
    resolver.txt(name, joined);
    byType.forEach(
        (type, values) -> {
          String[] plain = values.stream().map(String::valueOf).toArray(String[]::new);
          switch (type) {
            case "A" -> resolver.a(name, plain);
            case "AAAA" -> resolver.aaaa(name, plain);
            case "PTR" -> resolver.ptr(name, plain);
            case "CNAME" -> resolver.alias(name, plain[0]);
            case "MX" ->
                resolver.mx(
                    name,
                    values.stream()
                        .map(value -> (List<?>) value)
                        .map(
                            pair ->
                                new MxRecord(
                                    (Integer) pair.get(0),
                                    String.valueOf(pair.get(1)).toLowerCase(Locale.ROOT)))
                        .toArray(MxRecord[]::new));
            case "TIMEOUT" -> resolver.failingBeyond(name, "the suite's zone does not answer");
            case "SPF", "TXT" -> {}
            default -> throw new IllegalStateException("records of type " + type);
          }
        });
  }

  private static Map<String, Object> map(@Nullable Object value) {
    Map<String, Object> map = new LinkedHashMap<>();
    if (value instanceof Map<?, ?> given) {
      given.forEach((key, each) -> map.put(String.valueOf(key), each));
    }
    return map;
  }
}
