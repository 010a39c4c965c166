package net.postern.observe;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.core.spi.ContextAwareBase;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.util.Optional;
import net.postern.config.ObserveConfig;
import net.postern.config.ObserveConfig.LogAddresses;
import net.postern.config.ObserveConfig.LogFormat;
import org.slf4j.LoggerFactory;

/**
 * Sets up the log of this process: everything to standard error, where a supervisor collects it.
 *
 * <p>There is no configuration file for it: the form is {@code observe.log_format}; addresses are
 * hidden unless {@code observe.log_addresses} says otherwise; levels are those below. Whoever
 * starts a node calls {@link #start} first and {@link #stop} last, after everything that logs has
 * ended.
 */
public final class Logging extends ContextAwareBase implements Configurator {

  // One log for the process, so one form of addresses.
  private static volatile Pseudonyms names = Pseudonyms.withoutKey();
  private static volatile boolean hidden = true;

  /** Called by logback itself, through {@code META-INF/services}, before the first line. */
  public Logging() {}

  @Override
  public ExecutionStatus configure(LoggerContext context) {
    install(context, LogFormat.TEXT, Level.WARN, standardError());
    return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
  }

  /** For a node: everything from INFO on. */
  public static void start(ObserveConfig config) {
    hidden = config.logAddresses() == LogAddresses.HIDDEN;
    install(context(), config.logFormat(), Level.INFO, standardError());
  }

  /** From now on hidden addresses have tokens by which they can be told apart. */
  public static void use(Pseudonyms withTokens) {
    names = withTokens;
  }

  /** For commands that print their own result: warnings and worse. */
  public static void quiet() {
    install(context(), LogFormat.TEXT, Level.WARN, standardError());
  }

  /** Writes what is left and ends; lines after it are lost. */
  public static void stop() {
    context().stop();
  }

  static void install(LoggerContext context, LogFormat format, Level level, OutputStream out) {
    // Stops earlier appenders, which write what they have.
    context.reset();
    QueueAppender appender = new QueueAppender(new LineEncoder(format, Logging::pseudonyms), out);
    appender.setContext(context);
    appender.setName("log");
    appender.start();
    Logger root = context.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
    root.setLevel(level);
    root.addAppender(appender);
    // Their news are of no use to an operator; their warnings are.
    context.getLogger("org.flywaydb").setLevel(Level.WARN);
    context.getLogger("com.zaxxer.hikari").setLevel(Level.WARN);
    context.getLogger("org.postgresql").setLevel(Level.WARN);
  }

  private static Optional<Pseudonyms> pseudonyms() {
    return hidden ? Optional.of(names) : Optional.empty();
  }

  private static LoggerContext context() {
    return (LoggerContext) LoggerFactory.getILoggerFactory();
  }

  private static OutputStream standardError() {
    return new FileOutputStream(FileDescriptor.err);
  }
}
