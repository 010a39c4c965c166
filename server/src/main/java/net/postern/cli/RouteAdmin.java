package net.postern.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import net.postern.config.HostPort;
import net.postern.tenant.Route;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code postern admin route}. */
@Command(
    name = "route",
    description = "Where a domain's mail goes.",
    mixinStandardHelpOptions = true,
    synopsisSubcommandLabel = "COMMAND")
final class RouteAdmin extends NeedsSubcommand {
  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private AdminCommand admin;

  @Command(
      name = "smtp",
      description = "To servers, tried in order.",
      mixinStandardHelpOptions = true)
  int smtp(
      @Parameters(paramLabel = "DOMAIN") String domain,
      @Parameters(paramLabel = "HOST:PORT", arity = "1..10") List<String> servers,
      @Option(
              names = "--tls",
              paramLabel = "MODE",
              defaultValue = "OPPORTUNISTIC",
              description = "One of: ${COMPLETION-CANDIDATES}; default ${DEFAULT-VALUE}.")
          Route.Tls tls) {
    List<HostPort> targets = new ArrayList<>();
    for (String server : servers) {
      targets.add(
          HostPort.parse(server)
              .filter(target -> target.port() > 0)
              .orElseThrow(
                  () ->
                      new CommandFailure(
                          Exit.USAGE,
                          "\"" + server + "\" is no host:port, such as mail.example:25")));
    }
    return admin.with(
        (bench, out) -> {
          bench.tenants().routeToServers(domain, targets, tls);
          out.println("mail for " + domain + " goes to " + targets);
          return Exit.OK;
        });
  }

  @Command(
      name = "maildir",
      description = "Into Maildirs: DIRECTORY/domain/local-part.",
      mixinStandardHelpOptions = true)
  int maildir(
      @Parameters(paramLabel = "DOMAIN") String domain,
      @Parameters(paramLabel = "DIRECTORY") Path directory) {
    return admin.with(
        (bench, out) -> {
          bench.tenants().routeToMaildir(domain, directory);
          out.println("mail for " + domain + " goes below " + directory.toAbsolutePath());
          return Exit.OK;
        });
  }
}
