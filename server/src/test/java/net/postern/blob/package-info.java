@NullMarked
package net.postern.blob;

import org.jspecify.annotations.NullMarked;
