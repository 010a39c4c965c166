package net.postern.config;

import java.util.Optional;

@Doc("PostgreSQL: the bundled one, or one of your own.")
public record DatabaseConfig(
    @Doc(
            "JDBC URL of a PostgreSQL 15 or newer, several hosts allowed; without it the bundled one is run.")
        @Default("")
        Optional<String> url,
    @Doc("User for url.") @Default("postern") String user,
    @Doc("Password for url.") @Default("") String password,
    @Doc(
            "Port of the bundled PostgreSQL on loopback; 0 takes a free one at first start and keeps it.")
        @Default("0")
        @Bounds(min = "0", max = "65535")
        int port,
    @Doc("Most connections of this node; compaction alone needs three at once.")
        @Default("10")
        @Bounds(min = "4", max = "1000")
        int connections) {}
