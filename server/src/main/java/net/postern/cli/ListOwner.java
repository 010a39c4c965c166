package net.postern.cli;

import java.util.Optional;
import net.postern.address.EmailAddress;
import net.postern.node.Workbench;
import net.postern.tenant.SenderLists;
import net.postern.tenant.TenantException;
import picocli.CommandLine.Option;

/** Whose list or choice a command is about: one customer's or one user's. */
final class ListOwner {
  @Option(
      names = "--customer",
      paramLabel = "NAME",
      description = "For all users of this customer who do not say otherwise.")
  private Optional<String> customer = Optional.empty();

  @Option(names = "--user", paramLabel = "ADDRESS", description = "For this user.")
  private Optional<String> user = Optional.empty();

  SenderLists.Owner find(Workbench bench) throws TenantException {
    if (customer.isPresent()) {
      return new SenderLists.Owner(
          AdminCommand.customer(bench, customer.get()).id(), Optional.empty());
    }
    EmailAddress address =
        EmailAddress.parse(user.orElseThrow())
            .orElseThrow(() -> new TenantException("\"" + user.get() + "\" is no e-mail address"));
    return bench
        .senderLists()
        .ownerOf(
            bench
                .tenants()
                .findMailbox(address)
                .orElseThrow(() -> new TenantException("no user " + address)));
  }

  /** For messages. */
  String shown() {
    return customer.map(name -> "customer \"" + name + "\"").orElseGet(() -> user.orElse(""));
  }
}
