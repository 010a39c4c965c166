package net.postern.config;

import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Configuration for tests: what matters to one is named, everything else is as without a file. */
public final class TestConfig {
  private TestConfig() {}

  /**
   * The vault's section.
   *
   * @param lines such as {@code store_wait = "150ms"}
   */
  public static VaultConfig vault(String... lines) {
    return ConfigLoader.fromText(
            "[node]\nhostname = \"test.example\"\ndata = \"data\"\n[vault]\n"
                + String.join("\n", lines)
                + "\n",
            Path.of("."))
        .vault();
  }

  /**
   * The same with another value, also one that a file could not have.
   *
   * @param component name of the record's component
   */
  public static VaultConfig with(VaultConfig of, String component, Object value) {
    try {
      List<Class<?>> types = new ArrayList<>();
      List<Object> values = new ArrayList<>();
      boolean found = false;
      for (RecordComponent each : VaultConfig.class.getRecordComponents()) {
        boolean wanted = each.getName().equals(component);
        found |= wanted;
        types.add(each.getType());
        values.add(wanted ? value : each.getAccessor().invoke(of));
      }
      if (!found) {
        throw new IllegalArgumentException("no component " + component);
      }
      return VaultConfig.class
          .getDeclaredConstructor(types.toArray(Class<?>[]::new))
          .newInstance(values.toArray());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }
}
