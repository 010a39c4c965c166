@NullMarked
package net.postern.policy;

import org.jspecify.annotations.NullMarked;
