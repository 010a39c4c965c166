@NullMarked
package net.postern.proxy;

import org.jspecify.annotations.NullMarked;
