package net.postern.architecture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.postern.config.Doc;
import net.postern.config.PosternConfig;
import org.junit.jupiter.api.Test;

/** A key that nobody reads is a promise that nobody keeps. */
class ConfigKeysTest {

  @Test
  void everyKeyIsReadByThePartThatItConfigures() {
    Set<String> read = readOutside(ProductClasses.ALL, "net.postern.config");
    assertEquals("", String.join("\n", unread(PosternConfig.class, read)));
  }

  /** The control: with a reader gone its key is found, and only that one. */
  @Test
  void aKeyThatNobodyReadsIsFound() {
    Set<String> read = readOutside(ProductClasses.ALL, "net.postern.config");
    assertTrue(read.remove("net.postern.config.EdgeConfig.maxMessage"), read.toString());
    assertEquals(
        List.of("edge.maxMessage is read by nobody outside config"),
        unread(PosternConfig.class, read));
  }

  private static List<String> unread(Class<?> whole, Set<String> read) {
    List<String> found = new ArrayList<>();
    for (RecordComponent section : whole.getRecordComponents()) {
      for (RecordComponent key : section.getType().getRecordComponents()) {
        if (!read.contains(section.getType().getName() + "." + key.getName())) {
          found.add(section.getName() + "." + key.getName() + " is read by nobody outside config");
        }
        if (key.getGenericType() instanceof ParameterizedType generic
            && generic.getActualTypeArguments()[0] instanceof Class<?> element
            && element.isRecord()
            && element.isAnnotationPresent(Doc.class)) {
          for (RecordComponent below : element.getRecordComponents()) {
            if (!read.contains(element.getName() + "." + below.getName())) {
              found.add(element.getSimpleName() + "." + below.getName() + " is read by nobody");
            }
          }
        }
      }
    }
    return found;
  }

  /** Methods of a package, called or referred to from other packages: {@code class.method}. */
  private static Set<String> readOutside(JavaClasses classes, String ofPackage) {
    Set<String> read = new HashSet<>();
    for (JavaClass type : classes) {
      if (!type.getPackageName().equals(ofPackage)) {
        for (JavaAccess<?> access : type.getAccessesFromSelf()) {
          JavaClass owner = access.getTargetOwner();
          if (owner.getPackageName().equals(ofPackage)) {
            read.add(owner.getName() + "." + access.getTarget().getName());
          }
        }
      }
    }
    return read;
  }
}
