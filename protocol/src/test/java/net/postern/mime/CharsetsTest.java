package net.postern.mime;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.Charset;
import java.util.List;
import org.junit.jupiter.api.Test;

class CharsetsTest {

  private static String decode(byte[] bytes, String label) {
    return Charsets.decode(bytes, 0, bytes.length, label);
  }

  @Test
  void labels_in_use_are_known() {
    for (String label :
        List.of(
            "UTF-8",
            "us-ascii",
            "iso-8859-1",
            "ISO-8859-15",
            "windows-1251",
            "koi8-r",
            "gb2312",
            "gbk",
            "big5",
            "euc-kr",
            "ks_c_5601-1987",
            "shift_jis",
            "iso-2022-jp",
            "euc-jp",
            "iso-8859-8-i",
            "windows-874",
            "tis-620",
            "iso-8859-9",
            "macintosh",
            "cp1252")) {
      assertTrue(Charsets.named(label).isPresent(), label);
    }
    assertTrue(Charsets.named("x-unknown").isEmpty());
    assertTrue(Charsets.named("../etc;").isEmpty());
    assertTrue(Charsets.named("").isEmpty());
  }

  @Test
  void a_label_stands_for_its_superset() {
    assertEquals("“a”", decode(new byte[] {(byte) 0x93, 'a', (byte) 0x94}, "iso-8859-1"));
    assertEquals("喆", decode("喆".getBytes(Charset.forName("gb18030")), "gb2312"));
  }

  @Test
  void a_wrong_label_does_not_lose_the_text() {
    assertEquals("Grüße", decode("Grüße".getBytes(UTF_8), "us-ascii"));
    assertEquals("Grüße", decode("Grüße".getBytes(ISO_8859_1), "utf-8"));
    assertEquals("Grüße", decode("Grüße".getBytes(UTF_8), "x-unknown"));
  }
}
