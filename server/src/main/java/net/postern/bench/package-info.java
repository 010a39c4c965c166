/**
 * Measurements that anyone can repeat: {@code ./postern bench NAME}. Each drives the product, and a
 * peer where one is installed, with the same load in the same run, and prints the ratio: figures of
 * one machine say little, ratios within one run say more.
 */
@NullMarked
package net.postern.bench;

import org.jspecify.annotations.NullMarked;
