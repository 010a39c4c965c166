package net.postern.dns;

/**
 * What a client of the DNS did since it was made.
 *
 * @param questions that callers had
 * @param hits of these, answered from memory or the hosts file
 * @param shared of these, waited for a question that another caller had asked already
 * @param failures of these, ended without an answer
 * @param sent questions to servers, tries of the same one each for itself
 * @param waits questions that were not answered from memory
 * @param waitedNanos what callers waited for those, nanoseconds
 * @param crowded questions that came to nothing because we had too much to ask at one time
 * @param underWay questions to servers now
 * @param cached answers that are remembered now, about
 */
public record DnsStats(
    long questions,
    long hits,
    long shared,
    long failures,
    long sent,
    long waits,
    long waitedNanos,
    long crowded,
    long underWay,
    long cached) {}
