/**
 * Puts the parts together: {@link net.postern.node.Node} is the one class to read to see what a
 * node is made of, in which order it starts and in which order it stops.
 */
@NullMarked
package net.postern.node;

import org.jspecify.annotations.NullMarked;
