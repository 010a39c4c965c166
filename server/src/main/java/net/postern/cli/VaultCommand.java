package net.postern.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import net.postern.config.ConfigLoader;
import net.postern.config.PosternConfig;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/** {@code postern vault}: looks into the stores and mends them. One class for each subcommand. */
@Command(
    name = "vault",
    description = "Looks into the stores and mends them.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      VaultStatus.class,
      VaultGet.class,
      VaultRebuild.class,
      VaultScrub.class,
      VaultVerify.class,
      VaultCompact.class,
      RotateMasterCommand.class
    })
final class VaultCommand extends NeedsSubcommand {
  @Option(
      names = "--config",
      paramLabel = "FILE",
      scope = ScopeType.INHERIT,
      description = "The node's configuration; default: $POSTERN_CONFIG, or postern.toml here.")
  private Path file = Path.of(System.getenv().getOrDefault("POSTERN_CONFIG", "postern.toml"));

  /** The configuration that the command works with. */
  PosternConfig config() {
    return ConfigLoader.load(file);
  }

  /** Where the command prints. */
  PrintWriter printer() {
    return out();
  }
}
