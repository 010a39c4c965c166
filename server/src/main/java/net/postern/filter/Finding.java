package net.postern.filter;

/**
 * One thing a test noticed.
 *
 * @param name upper case with underscores, unique over all tests
 * @param score what it adds; negative speaks for the message
 * @param detail what was seen, for people; one line, empty when the name says it all
 */
public record Finding(String name, double score, String detail) {}
