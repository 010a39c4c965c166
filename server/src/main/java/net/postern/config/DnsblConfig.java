package net.postern.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

@Doc(
    "Block lists and allow lists that are asked through the DNS; docs/howto/choose-block-lists.md.")
public record DnsblConfig(
    @Doc(
            "Zones that are asked, of those in the shipped table or in table. None by default: most lists have terms that only you can agree to.")
        @Default("")
        @Example("[\"zen.spamhaus.org\", \"list.dnswl.org\", \"dbl.spamhaus.org\"]")
        List<String> zones,
    @Doc("File with further zones, or with other weights, in the form of the shipped table.")
        @Default("")
        Optional<Path> table,
    @Doc("Sum of weights from which a client is refused; a customer may choose another.")
        @Default("6")
        @Bounds(min = "1", max = "1000")
        int threshold,
    @Doc("Longest wait for all lists together; one that answers later has not listed anything.")
        @Default("3s")
        @Bounds(min = "100ms", max = "30s")
        Duration budget) {}
