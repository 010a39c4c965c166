package net.postern.tenant;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.InflaterInputStream;
import javax.crypto.spec.SecretKeySpec;
import net.postern.blob.Parcel;
import net.postern.id.CustomerId;
import net.postern.keys.Aead;
import org.jdbi.v3.core.Handle;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A customer's settings to the content of a parcel and back: JSON, deflated (RFC 1950), sealed
 * under the customer's key with the object's name as context.
 *
 * <pre>
 * {"version":1,"customer":UUID,"generation":n,"parts":{NAME:[row,...],...}}
 * </pre>
 */
final class SettingsCodec {
  /** The kind of the objects. */
  static final String KIND = "settings";

  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          // A row is read out of the middle.
          .disable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /** Rows that are entered together. */
  private static final int ROWS = 1_000;

  private SettingsCodec() {}

  static String object(CustomerId customer) {
    return KIND + "/" + customer;
  }

  /**
   * Writes what the parts say of a customer.
   *
   * @param handle within a transaction that sees one state of everything
   * @throws IOException when it is more than a parcel holds
   */
  static byte[] encode(
      Handle handle,
      CustomerId customer,
      long generation,
      List<SettingsPart> parts,
      SecretKeySpec key)
      throws IOException {
    Bounded bytes = new Bounded(customer);
    try (Writer out =
        new OutputStreamWriter(new DeflaterOutputStream(bytes), StandardCharsets.UTF_8)) {
      out.write(
          "{\"version\":1,\"customer\":\"%s\",\"generation\":%d,\"parts\":{"
              .formatted(customer, generation));
      String between = "";
      for (SettingsPart part : parts) {
        out.write(between + "\"" + part.name() + "\":[");
        between = "],\n";
        String[] comma = {""};
        part.export(
            handle,
            customer,
            row -> {
              try {
                out.write(comma[0]);
                out.write(row);
                comma[0] = ",\n";
              } catch (IOException e) {
                throw new UncheckedIOException(e);
              }
            });
      }
      out.write("]}}\n");
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    return Aead.seal(key, context(customer), bytes.toByteArray());
  }

  /**
   * Enters what {@link #encode} wrote, part after part in the order of the file.
   *
   * @return how many rows of each part were new; a part that nobody knows has -1
   * @throws IOException when the content is something else; the caller rolls back
   */
  static Map<String, Integer> restore(
      Handle handle,
      CustomerId customer,
      byte[] content,
      List<SettingsPart> parts,
      SecretKeySpec key)
      throws IOException {
    Map<String, SettingsPart> byName = new HashMap<>();
    parts.forEach(each -> byName.put(each.name(), each));
    Map<String, Integer> restored = new HashMap<>();
    try (JsonParser in =
        MAPPER.createParser(
            new InflaterInputStream(
                new ByteArrayInputStream(Aead.open(key, context(customer), content))))) {
      expect(in.nextToken(), JsonToken.START_OBJECT);
      while (in.nextToken() == JsonToken.PROPERTY_NAME) {
        String name = in.currentName();
        JsonToken value = in.nextToken();
        if (name.equals("version") && in.getIntValue() != 1) {
          throw new IOException(
              "settings of version " + in.getIntValue() + "; this program knows 1");
        }
        if (name.equals("customer") && !in.getString().equals(customer.toString())) {
          throw new IOException("the object holds the settings of " + in.getString());
        }
        if (!name.equals("parts")) {
          in.skipChildren();
          continue;
        }
        expect(value, JsonToken.START_OBJECT);
        while (in.nextToken() == JsonToken.PROPERTY_NAME) {
          String part = in.currentName();
          expect(in.nextToken(), JsonToken.START_ARRAY);
          SettingsPart known = byName.get(part);
          if (known == null) {
            in.skipChildren();
            restored.put(part, -1);
          } else {
            restored.put(part, rows(in, handle, customer, known));
          }
        }
      }
      return restored;
    } catch (GeneralSecurityException e) {
      throw new IOException("the settings do not open with the customer's key", e);
    } catch (JacksonException e) {
      throw new IOException("the settings are damaged: " + e.getMessage(), e);
    }
  }

  private static int rows(JsonParser in, Handle handle, CustomerId customer, SettingsPart part) {
    int restored = 0;
    List<String> rows = new ArrayList<>();
    while (in.nextToken() == JsonToken.START_OBJECT) {
      JsonNode row = MAPPER.readTree(in);
      rows.add(row.toString());
      if (rows.size() == ROWS) {
        restored += part.restore(handle, customer, rows);
        rows.clear();
      }
    }
    return restored + part.restore(handle, customer, rows);
  }

  private static void expect(JsonToken found, JsonToken wanted) throws IOException {
    if (found != wanted) {
      throw new IOException("the settings are damaged: no " + wanted + " but " + found);
    }
  }

  private static byte[] context(CustomerId customer) {
    return object(customer).getBytes(StandardCharsets.US_ASCII);
  }

  /** Takes no more than fits into a parcel. */
  private static final class Bounded extends ByteArrayOutputStream {
    private static final int MAX = Parcel.MAX_CONTENT - Aead.OVERHEAD;
    private final CustomerId customer;

    Bounded(CustomerId customer) {
      this.customer = customer;
    }

    @Override
    public synchronized void write(byte[] bytes, int from, int length) {
      if (size() + (long) length > MAX) {
        throw new UncheckedIOException(
            new IOException(
                "the settings of customer %s have more than %d MiB: the stores keep what they had; divide the customer"
                    .formatted(customer, MAX >> 20)));
      }
      super.write(bytes, from, length);
    }
  }
}
