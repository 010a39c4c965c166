package net.postern.config;

import java.time.Duration;

@Doc("Greylisting, for customers and users who turned it on; docs/howto/greylisting.md.")
public record GreylistConfig(
    @Doc("How long a first attempt is put off.") @Default("2m") @Bounds(min = "1s", max = "1h")
        Duration delay,
    @Doc("How long after the first attempt a further one still counts for it.")
        @Default("2d")
        @Bounds(min = "1h", max = "30d")
        Duration window,
    @Doc("How long a sender that passed is not put off again, from its last message on.")
        @Default("36d")
        @Bounds(min = "1d", max = "365d")
        Duration passLife,
    @Doc("Bits of an IPv4 address that have to be the same: pools of servers share a network.")
        @Default("24")
        @Bounds(min = "8", max = "32")
        int ipv4Mask,
    @Doc("The same for IPv6.") @Default("64") @Bounds(min = "32", max = "128") int ipv6Mask) {}
