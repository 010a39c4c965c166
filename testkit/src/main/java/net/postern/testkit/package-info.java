/** A fake world for tests: peers that speak real protocols over real sockets. */
@NullMarked
package net.postern.testkit;

import org.jspecify.annotations.NullMarked;
