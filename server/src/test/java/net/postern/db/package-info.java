@NullMarked
package net.postern.db;

import org.jspecify.annotations.NullMarked;
