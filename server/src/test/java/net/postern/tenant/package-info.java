@NullMarked
package net.postern.tenant;

import org.jspecify.annotations.NullMarked;
