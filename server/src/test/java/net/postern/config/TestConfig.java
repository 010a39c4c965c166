package net.postern.config;

import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Configuration for tests: what matters to one is named, everything else is as without a file. */
public final class TestConfig {
  private TestConfig() {}

  /**
   * The vault's section.
   *
   * @param lines such as {@code store_wait = "150ms"}
   */
  public static VaultConfig vault(String... lines) {
    return config("vault", lines).vault();
  }

  /** The same for receiving mail. */
  public static EdgeConfig edge(String... lines) {
    return config("edge", lines).edge();
  }

  /** The same for sending to others. */
  public static SubmissionConfig submission(String... lines) {
    return config("submission", lines).submission();
  }

  /** The same for limits. */
  public static LimitsConfig limits(String... lines) {
    return config("limits", lines).limits();
  }

  /** The same for greylisting. */
  public static GreylistConfig greylist(String... lines) {
    return config("greylist", lines).greylist();
  }

  private static PosternConfig config(String section, String... lines) {
    return ConfigLoader.fromText(
        "[node]\nhostname = \"test.example\"\ndata = \"data\"\n[%s]\n%s\n"
            .formatted(section, String.join("\n", lines)),
        Path.of("."));
  }

  /**
   * A section with another value, also one that a file could not have.
   *
   * @param component name of the record's component
   */
  public static <R extends Record> R with(R of, String component, Object value) {
    return with(of, Map.of(component, value));
  }

  /** The same with several. */
  @SuppressWarnings("unchecked")
  public static <R extends Record> R with(R of, Map<String, ?> components) {
    try {
      Set<String> left = new HashSet<>(components.keySet());
      List<Class<?>> types = new ArrayList<>();
      List<Object> values = new ArrayList<>();
      for (RecordComponent each : of.getClass().getRecordComponents()) {
        types.add(each.getType());
        Object other = components.get(each.getName());
        values.add(other == null ? each.getAccessor().invoke(of) : other);
        left.remove(each.getName());
      }
      if (!left.isEmpty()) {
        throw new IllegalArgumentException("no components " + left);
      }
      return (R)
          of.getClass()
              .getDeclaredConstructor(types.toArray(Class<?>[]::new))
              .newInstance(values.toArray());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }
}
