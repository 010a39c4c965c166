package net.postern.keys;

import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The master keys of an installation: records are opened under any of them and written under the
 * current one.
 *
 * @param previous keys that are being replaced, and any other that records may be wrapped by
 */
public record MasterKeys(MasterKey current, List<MasterKey> previous) {
  public MasterKeys {
    previous = previous.stream().filter(each -> !each.id().equals(current.id())).toList();
  }

  /** One key, as when none is being replaced. */
  public static MasterKeys of(MasterKey only) {
    return new MasterKeys(only, List.of());
  }

  /** The key of that id; empty when it is not configured. */
  Optional<MasterKey> find(String id) {
    return Stream.concat(Stream.of(current), previous.stream())
        .filter(each -> each.id().equals(id))
        .findFirst();
  }

  /** The ids, for messages. */
  String ids() {
    return Stream.concat(Stream.of(current), previous.stream())
        .map(MasterKey::id)
        .collect(Collectors.joining(", "));
  }
}
