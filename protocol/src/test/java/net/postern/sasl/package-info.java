@NullMarked
package net.postern.sasl;

import org.jspecify.annotations.NullMarked;
