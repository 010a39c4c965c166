package net.postern.observe;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.IThrowableProxy;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Supplier;
import net.postern.config.ObserveConfig.LogFormat;

/** Makes log lines. Belongs to the one thread that writes them. */
final class LineEncoder {
  private final LogFormat format;
  private final Supplier<Optional<Pseudonyms>> pseudonyms;

  // Most lines of a second share its text.
  private long second = Long.MIN_VALUE;
  private String secondText = "";

  /**
   * @param pseudonyms asked for each line; empty where addresses are shown
   */
  LineEncoder(LogFormat format, Supplier<Optional<Pseudonyms>> pseudonyms) {
    this.format = format;
    this.pseudonyms = pseudonyms;
  }

  void append(StringBuilder out, ILoggingEvent event) {
    int from = out.length();
    switch (format) {
      case TEXT -> text(out, event);
      case JSON -> json(out, event);
    }
    pseudonyms.get().ifPresent(names -> names.hide(out, from));
  }

  private void text(StringBuilder out, ILoggingEvent event) {
    time(out, event.getTimeStamp());
    String logger = event.getLoggerName();
    out.append(' ');
    String level = event.getLevel().toString();
    out.append(level);
    if (level.length() == 4) {
      out.append(' ');
    }
    out.append(' ').append(logger.substring(logger.lastIndexOf('.') + 1)).append(' ');
    line(out, event.getFormattedMessage());
    IThrowableProxy failure = event.getThrowableProxy();
    if (failure != null) {
      // Marked, since an exception's own message may have lines that look like ours.
      ThrowableProxyUtil.asString(failure)
          .lines()
          .forEach(
              part -> {
                out.append("    | ");
                line(out, part);
              });
    }
  }

  private static void line(StringBuilder out, String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '\n') {
        out.append("\\n");
      } else if (c == '\t') {
        out.append(' ');
      } else if (c < 0x7f ? c >= 0x20 : Character.isSurrogate(c) || Fields.isPlain(c)) {
        out.append(c);
      } else {
        Fields.appendHex(out, c);
      }
    }
    out.append('\n');
  }

  private void json(StringBuilder out, ILoggingEvent event) {
    out.append("{\"time\":\"");
    time(out, event.getTimeStamp());
    out.append("\",\"level\":\"").append(event.getLevel());
    out.append("\",\"logger\":\"").append(event.getLoggerName()).append('"');
    if (event.getLoggerName().equals(MailLog.LOGGER)) {
      // Members that JsonFields made and escaped.
      out.append(',').append(event.getFormattedMessage());
    } else {
      out.append(",\"message\":\"");
      escaped(out, event.getFormattedMessage());
      out.append('"');
    }
    IThrowableProxy failure = event.getThrowableProxy();
    if (failure != null) {
      out.append(",\"failure\":\"");
      escaped(out, ThrowableProxyUtil.asString(failure));
      out.append('"');
    }
    out.append("}\n");
  }

  private static void escaped(StringBuilder out, String text) {
    for (int i = 0; i < text.length(); i += Fields.MAX_VALUE) {
      Fields.appendEscaped(out, text.substring(i, Math.min(text.length(), i + Fields.MAX_VALUE)));
    }
  }

  private void time(StringBuilder out, long millis) {
    long whole = Math.floorDiv(millis, 1000L);
    if (whole != second) {
      second = whole;
      String text = Instant.ofEpochSecond(whole).toString();
      secondText = text.substring(0, text.length() - 1);
    }
    int rest = (int) Math.floorMod(millis, 1000L);
    out.append(secondText).append('.');
    out.append(rest / 100).append(rest / 10 % 10).append(rest % 10).append('Z');
  }
}
