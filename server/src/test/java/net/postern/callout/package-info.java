@NullMarked
package net.postern.callout;

import org.jspecify.annotations.NullMarked;
