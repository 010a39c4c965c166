/** Tests of the SMTP grammar. */
@NullMarked
package net.postern.smtp;

import org.jspecify.annotations.NullMarked;
