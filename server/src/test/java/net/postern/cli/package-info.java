@NullMarked
package net.postern.cli;

import org.jspecify.annotations.NullMarked;
