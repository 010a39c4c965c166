/**
 * What is to become of a message: the pure function <em>judgement + a customer's settings &rarr;
 * disposition</em>. No clock, no database, no side effect: the same input gives the same answer.
 */
@NullMarked
package net.postern.policy;

import org.jspecify.annotations.NullMarked;
