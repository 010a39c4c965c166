package net.postern.config;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Least and greatest value of a number, a size or a duration, both inclusive and written as in the
 * file; a list's bounds are those of its elements. A key without it takes what is not negative.
 */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.RECORD_COMPONENT)
public @interface Bounds {
  String min();

  String max();
}
