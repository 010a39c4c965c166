/** Tests of who may send to others, and how much. */
@NullMarked
package net.postern.submission;

import org.jspecify.annotations.NullMarked;
