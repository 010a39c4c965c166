package net.postern.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import net.postern.address.EmailAddress;

@Doc("This node.")
public record NodeConfig(
    @Doc("Fully qualified host name: used in greetings, Received fields and reports.")
        @Example("mx1.example.com")
        String hostname,
    @Doc("Directory for everything this node keeps: bundled database, stores, keys, certificate.")
        @Example("/var/lib/postern")
        Path data,
    @Doc(
            "A user of a domain here who gets the mail for postmaster without a domain (RFC 5321 §4.5.1). Without it postmaster of the host name does, where that domain is served.")
        @Default("")
        Optional<EmailAddress> postmaster,
    @Doc("Longest time that a shutdown waits for sessions and deliveries to finish.")
        @Default("20s")
        @Bounds(min = "0s", max = "1h")
        Duration drain,
    @Doc(
            "How long answers about addresses and routes are remembered: the time after which a change is seen everywhere.")
        @Default("5s")
        @Bounds(min = "0s", max = "1h")
        Duration directoryCache) {}
