@NullMarked
package net.postern.intake;

import org.jspecify.annotations.NullMarked;
