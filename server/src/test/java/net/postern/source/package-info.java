@NullMarked
package net.postern.source;

import org.jspecify.annotations.NullMarked;
