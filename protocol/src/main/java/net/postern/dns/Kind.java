package net.postern.dns;

import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.function.Function;
import org.xbill.DNS.AAAARecord;
import org.xbill.DNS.ARecord;
import org.xbill.DNS.MXRecord;
import org.xbill.DNS.PTRRecord;
import org.xbill.DNS.Record;
import org.xbill.DNS.TXTRecord;
import org.xbill.DNS.Type;

/**
 * A kind of record that is asked for.
 *
 * @param type its number in the DNS
 * @param read empty for a record of another kind
 */
record Kind<T>(int type, Function<Record, Optional<T>> read) {
  static final Kind<MxRecord> MX =
      new Kind<>(
          Type.MX,
          r ->
              r instanceof MXRecord mx
                  ? Optional.of(new MxRecord(mx.getPriority(), DnsNames.plain(mx.getTarget())))
                  : Optional.empty());
  static final Kind<InetAddress> A =
      new Kind<>(
          Type.A, r -> r instanceof ARecord a ? Optional.of(a.getAddress()) : Optional.empty());
  static final Kind<InetAddress> AAAA =
      new Kind<>(
          Type.AAAA,
          r -> r instanceof AAAARecord a ? Optional.of(a.getAddress()) : Optional.empty());
  static final Kind<String> TXT =
      new Kind<>(
          Type.TXT, r -> r instanceof TXTRecord txt ? Optional.of(joined(txt)) : Optional.empty());
  static final Kind<String> PTR =
      new Kind<>(
          Type.PTR,
          r ->
              r instanceof PTRRecord ptr
                  ? Optional.of(DnsNames.plain(ptr.getTarget()))
                  : Optional.empty());

  private static String joined(TXTRecord record) {
    StringBuilder out = new StringBuilder();
    for (byte[] part : record.getStringsAsByteArrays()) {
      out.append(new String(part, StandardCharsets.UTF_8));
    }
    return out.toString();
  }
}
