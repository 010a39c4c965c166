@NullMarked
package net.postern.filter;

import org.jspecify.annotations.NullMarked;
