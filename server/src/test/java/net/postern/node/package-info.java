@NullMarked
package net.postern.node;

import org.jspecify.annotations.NullMarked;
