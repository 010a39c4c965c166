@NullMarked
package net.postern.keys;

import org.jspecify.annotations.NullMarked;
