/** Tests of the parts of the SMTP client that need no peer. */
@NullMarked
package net.postern.smtp.client;

import org.jspecify.annotations.NullMarked;
