@NullMarked
package net.postern.vault;

import org.jspecify.annotations.NullMarked;
