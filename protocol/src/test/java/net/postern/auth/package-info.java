/** Tests of SPF. */
@NullMarked
package net.postern.auth;

import org.jspecify.annotations.NullMarked;
