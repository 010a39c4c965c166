package net.postern.config;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

@Doc("Sending mail on.")
public record DeliveryConfig(
    @Doc("Most deliveries at one time.") @Default("200") @Bounds(min = "1", max = "10000")
        int concurrency,
    @Doc("Most connections at one time to one server.")
        @Default("20")
        @Bounds(min = "1", max = "1000")
        int connectionsPerTarget,
    @Doc("How long an unused connection is kept for the next message.")
        @Default("10s")
        @Bounds(min = "0s", max = "10m")
        Duration keepConnection,
    @Doc("Messages sent over one connection before it is replaced.")
        @Default("1000")
        @Bounds(min = "1", max = "1000000")
        int messagesPerConnection,
    @Doc("Time for a server to accept a connection.")
        @Default("30s")
        @Bounds(min = "100ms", max = "10m")
        Duration connectTimeout,
    @Doc(
            "Time for a server's reply to a command; five times as long after the end of the message (RFC 5321 §4.5.3.2).")
        @Default("2m")
        @Bounds(min = "100ms", max = "1h")
        Duration replyTimeout,
    @Doc("Wait before the second attempt; it doubles from one to the next.")
        @Default("5m")
        @Bounds(min = "100ms", max = "1d")
        Duration firstRetry,
    @Doc("Longest wait between two attempts.") @Default("1h") @Bounds(min = "100ms", max = "1d")
        Duration maxRetry,
    @Doc("How long a message is tried before it is returned to its sender.")
        @Default("5d")
        @Bounds(min = "1s", max = "30d")
        Duration giveUp,
    @Doc(
            "Server for mail to other people's domains (reports to senders), as host:port; without it the domain's MX is used.")
        @Default("")
        Optional<HostPort> smarthost,
    @Doc(
            "Inside networks (private, loopback) that the MX records of other people's domains may point to; otherwise mail to them waits, so that a forged sender cannot have this node connect to hosts behind it.")
        @Default("")
        List<Network> insideExchangers,
    @Doc("How long this node alone may work on a delivery before another node takes it.")
        @Default("15m")
        @Bounds(min = "1s", max = "1d")
        Duration lease,
    @Doc(
            "Memory for messages between acceptance and first delivery attempt; beyond it they are read from the vault. As much again is for large messages read from there. 0 means an eighth of the heap.")
        @Default("0")
        ByteSize handoffMemory) {}
