package net.postern.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import java.util.concurrent.Callable;
import net.postern.node.StartException;
import net.postern.node.VaultLook;
import net.postern.vault.VaultUnavailableException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code postern vault get}. */
@Command(
    name = "get",
    description = {
      "Writes a message to standard output, as it was accepted. Its place is asked of the database;"
          + " without one every segment is looked into."
    },
    mixinStandardHelpOptions = true)
final class VaultGet implements Callable<Integer> {
  @ParentCommand
  @SuppressWarnings("NullAway.Init") // picocli sets it
  private VaultCommand vault;

  @Parameters(paramLabel = "ID", description = "A message id, as the log has it.")
  @SuppressWarnings("NullAway.Init") // required
  private String id;

  @Option(
      names = "--store",
      paramLabel = "NAME",
      description = "Only this store's copy, by the store's name or directory.")
  private Optional<String> store = Optional.empty();

  @Option(names = "--headers", description = "Only the header.")
  private boolean headers;

  @Override
  public Integer call() {
    try {
      byte[] content = new VaultLook(vault.config()).get(QuarantineAdmin.message(id), store);
      vault.printer().flush();
      // Bytes stay bytes: not through a writer.
      System.out.write(content, 0, headers ? headerLength(content) : content.length);
      System.out.flush();
      if (System.out.checkError()) {
        throw new IOException("standard output takes no more");
      }
      return Exit.OK;
    } catch (StartException e) {
      throw new CommandFailure(Exit.CONFIGURATION, String.valueOf(e.getMessage()), e);
    } catch (VaultUnavailableException e) {
      throw new CommandFailure(Exit.NEGATIVE, String.valueOf(e.getMessage()), e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  // With the empty line that ends it; all when there is none.
  static int headerLength(byte[] content) {
    for (int i = 0; i + 3 < content.length; i++) {
      if (content[i] == '\r'
          && content[i + 1] == '\n'
          && content[i + 2] == '\r'
          && content[i + 3] == '\n') {
        return i + 4;
      }
    }
    return content.length;
  }
}
