@NullMarked
package net.postern.greylist;

import org.jspecify.annotations.NullMarked;
