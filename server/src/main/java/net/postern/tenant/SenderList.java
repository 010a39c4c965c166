package net.postern.tenant;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import net.postern.address.EmailAddress;

/** The safelist and blocklist of one customer or one user. Immutable. */
public final class SenderList {
  /** A list without entries. */
  public static final SenderList EMPTY = new SenderList(List.of());

  /** What an entry says of whom it means. */
  public enum Kind {
    SAFE,
    BLOCK
  }

  /** An entry with what it says. */
  public record Line(SenderEntry entry, Kind kind) {}

  private final Map<SenderEntry, Line> byName = new HashMap<>();
  private final List<Line> networks = new ArrayList<>();

  public SenderList(List<Line> lines) {
    for (Line line : lines) {
      if (line.entry() instanceof SenderEntry.Clients) {
        networks.add(line);
      } else {
        byName.put(line.entry(), line);
      }
    }
    networks.sort(
        Comparator.comparingInt(line -> -((SenderEntry.Clients) line.entry()).network().prefix()));
  }

  /** How many entries it has. */
  public int size() {
    return byName.size() + networks.size();
  }

  /**
   * The entries that mean this sender, the narrowest first: the address, its domain, domains above,
   * then networks, the smallest first.
   */
  public List<Line> about(InetAddress client, Optional<EmailAddress> reversePath) {
    if (size() == 0) {
      return List.of();
    }
    List<Line> found = new ArrayList<>(2);
    if (reversePath.isPresent()) {
      EmailAddress sender = reversePath.get();
      add(found, new SenderEntry.Address(sender.key()));
      String domain = sender.domain();
      add(found, new SenderEntry.Domain(domain, false));
      while (true) {
        add(found, new SenderEntry.Domain(domain, true));
        int dot = domain.indexOf('.');
        if (dot < 0) {
          break;
        }
        domain = domain.substring(dot + 1);
      }
    }
    for (Line line : networks) {
      if (((SenderEntry.Clients) line.entry()).network().contains(client)) {
        found.add(line);
      }
    }
    return found;
  }

  private void add(List<Line> found, SenderEntry entry) {
    Line line = byName.get(entry);
    if (line != null) {
      found.add(line);
    }
  }
}
