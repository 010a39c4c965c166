/** Tests of the MIME parser: cases as messages with what must be read, and properties. */
@NullMarked
package net.postern.mime;

import org.jspecify.annotations.NullMarked;
