package net.postern.demo;

/**
 * One thing that was checked after the samples.
 *
 * @param what in a few words
 * @param ok whether it is as it has to be
 * @param detail figures, or what is wrong; one line
 */
record Check(String what, boolean ok, String detail) {}
