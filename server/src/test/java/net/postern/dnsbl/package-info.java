@NullMarked
package net.postern.dnsbl;

import org.jspecify.annotations.NullMarked;
