@NullMarked
package net.postern.batch;

import org.jspecify.annotations.NullMarked;
