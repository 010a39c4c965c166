package net.postern.cli;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import net.postern.node.DataDirectory;
import net.postern.node.StartException;
import net.postern.node.VaultLook;
import net.postern.vault.ScrubState;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import tools.jackson.databind.json.JsonMapper;

/** {@code postern vault status}. */
@Command(
    name = "status",
    description = "What each store holds, what it lacks and what is wrong with it, by looking.",
    mixinStandardHelpOptions = true)
final class VaultStatus implements Callable<Integer> {
  /** Damage that is printed; of more the number is told. */
  private static final int SHOWN = 20;

  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private VaultCommand vault;

  @Option(names = "--json", description = "As one JSON object.")
  private boolean json;

  @Override
  public Integer call() {
    try {
      VaultLook look = new VaultLook(vault.config());
      List<VaultLook.Store> stores = look.stores();
      boolean running = look.nodeRuns();
      if (json) {
        printJson(stores, running, vault.printer());
      } else {
        print(stores, running, vault.printer());
        printScrub(
            ScrubState.load(vault.config().node().data().resolve(DataDirectory.SCRUB)),
            vault.printer());
      }
      // The segment that is being written grows at different moments in different stores.
      int open = running ? 1 : 0;
      return stores.stream().allMatch(each -> each.up() && each.lacking() <= open)
          ? Exit.OK
          : Exit.NEGATIVE;
    } catch (StartException e) {
      throw new CommandFailure(Exit.CONFIGURATION, String.valueOf(e.getMessage()), e);
    }
  }

  private static void print(List<VaultLook.Store> stores, boolean running, PrintWriter out) {
    Table table =
        new Table(
            "store", "state", "segments", "bytes", "keys", "journal", "settings", "lacks", "free");
    for (VaultLook.Store each : stores) {
      table.row(
          each.name(),
          each.up() ? "up" : "down",
          count(each, "segments"),
          each.kinds().values().stream().mapToLong(VaultLook.Kind::bytes).sum(),
          count(each, "keys"),
          count(each, "journal"),
          count(each, "settings"),
          each.lacking(),
          each.usable()
              .map(bytes -> String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1 << 30)))
              .orElse("-"));
    }
    table.print(out);
    for (VaultLook.Store each : stores) {
      if (!each.up()) {
        out.println(each.where() + ": " + each.problem());
      }
    }
    out.println(
        running
            ? "a node runs: the segment that it writes may look shorter in one store than in another"
            : "no node runs on this data directory");
  }

  private static void printScrub(ScrubState scrub, PrintWriter out) {
    scrub.stores().entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(
            each ->
                out.println(
                    "%s: everything in it was last checked %s; %d copies repaired so far"
                        .formatted(
                            each.getKey(),
                            each.getValue().lastFullPass().map(Object::toString).orElse("never"),
                            each.getValue().repaired())));
    scrub.unrepaired().stream().limit(SHOWN).forEach(out::println);
    if (scrub.unrepaired().size() > SHOWN) {
      out.println("and %d more".formatted(scrub.unrepaired().size() - SHOWN));
    }
  }

  private static long count(VaultLook.Store store, String kind) {
    VaultLook.Kind found = store.kinds().get(kind);
    return found == null ? 0 : found.objects();
  }

  private static void printJson(List<VaultLook.Store> stores, boolean running, PrintWriter out) {
    List<Map<String, Object>> list = new ArrayList<>();
    for (VaultLook.Store each : stores) {
      Map<String, Object> store = new LinkedHashMap<>();
      store.put("name", each.name());
      store.put("where", each.where());
      store.put("up", each.up());
      store.put("problem", each.problem());
      each.usable().ifPresent(bytes -> store.put("usableBytes", bytes));
      store.put("lackingSegments", each.lacking());
      Map<String, Object> kinds = new LinkedHashMap<>();
      each.kinds()
          .forEach(
              (kind, found) ->
                  kinds.put(kind, Map.of("objects", found.objects(), "bytes", found.bytes())));
      store.put("kinds", kinds);
      list.add(store);
    }
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("nodeRuns", running);
    all.put("stores", list);
    out.println(JsonMapper.builder().build().writeValueAsString(all));
  }
}
