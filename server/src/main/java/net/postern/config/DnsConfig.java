package net.postern.config;

import java.time.Duration;
import java.util.List;

@Doc("Questions to the DNS: of delivery, and about those who send mail.")
public record DnsConfig(
    @Doc(
            "Recursive name servers by address, as address:port, in the order in which they are asked; without any those that the system is set up with. One on the same machine serves best: every message asks several questions, and block lists refuse those of public servers.")
        @Default("")
        List<HostPort> servers,
    @Doc("Longest time for one question, all tries together.")
        @Default("10s")
        @Bounds(min = "500ms", max = "1m")
        Duration timeout,
    @Doc(
            "Answers that are remembered, for as long as they say and an hour at most. An answer of more than 512 octets counts as several.")
        @Default("100000")
        @Bounds(min = "0", max = "10000000")
        int cacheEntries) {}
