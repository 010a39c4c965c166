package net.postern.config;

import java.time.Duration;

@Doc(
    "Sending to others, for users who log in and for customers' registered servers; the ports are edge.submission and edge.submissions.")
public record SubmissionConfig(
    @Doc(
            "Whether users on this machine (loopback addresses) may log in without TLS; for programs that run beside the node.")
        @Default("false")
        boolean plainOnLoopback,
    @Doc(
            "Whether SCRAM-SHA-256 is offered, and keys for it are kept when a password is set. A thief of the database can try passwords faster against them than against Argon2id.")
        @Default("true")
        boolean scram,
    @Doc("Memory that hashing a password takes (Argon2id); stored passwords keep theirs.")
        @Default("19 MiB")
        @Bounds(min = "19 MiB", max = "1 GiB")
        ByteSize hashMemory,
    @Doc("Passes of Argon2id over that memory.") @Default("2") @Bounds(min = "1", max = "20")
        int hashPasses,
    @Doc(
            "Passwords that are hashed at one time; further logins wait, and get 454 after 10 seconds.")
        @Default("4")
        @Bounds(min = "1", max = "64")
        int hashesAtOnce,
    @Doc("How long the reply to a wrong password is held back.")
        @Default("2s")
        @Bounds(min = "0s", max = "30s")
        Duration failureDelay,
    @Doc(
            "What the From field of mail that is sent has to be: account, an address of the user's own; domain, an address of the customer's domains; any.")
        @Default("domain")
        Author author,
    @Doc("Whether the address that a user sends from is left out of the Received field.")
        @Default("true")
        boolean hideClient,
    @Doc("Most messages of one account in any hour; 'admin user limits' changes it for one.")
        @Default("300")
        @Bounds(min = "1", max = "100000000")
        int accountMessagesHour,
    @Doc("Most messages of one account in any day.")
        @Default("2000")
        @Bounds(min = "1", max = "100000000")
        int accountMessagesDay,
    @Doc("Most recipients of one account in any hour.")
        @Default("1000")
        @Bounds(min = "1", max = "100000000")
        int accountRecipientsHour,
    @Doc("Most recipients of one account in any day.")
        @Default("5000")
        @Bounds(min = "1", max = "100000000")
        int accountRecipientsDay,
    @Doc(
            "Most messages of one customer's users and servers in any hour; 'admin customer limits' changes it for one.")
        @Default("20000")
        @Bounds(min = "1", max = "100000000")
        int customerMessagesHour,
    @Doc("Most messages of one customer in any day.")
        @Default("200000")
        @Bounds(min = "1", max = "100000000")
        int customerMessagesDay,
    @Doc("Most recipients of one customer in any hour.")
        @Default("50000")
        @Bounds(min = "1", max = "100000000")
        int customerRecipientsHour,
    @Doc("Most recipients of one customer in any day.")
        @Default("500000")
        @Bounds(min = "1", max = "100000000")
        int customerRecipientsDay) {

  /** Whom the From field may name. */
  public enum Author {
    ACCOUNT,
    DOMAIN,
    ANY
  }
}
