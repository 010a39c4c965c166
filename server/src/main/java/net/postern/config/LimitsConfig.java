package net.postern.config;

import java.time.Duration;
import java.util.List;

@Doc(
    "How much one source (an IPv4 address or an IPv6 /64) may do, and when it is blocked. Rates are for each node; block lists and names are shared.")
public record LimitsConfig(
    @Doc(
            "Networks that nothing of this applies to, besides edge.unlimited_sources: inside networks, where a proxy or the customer's own servers are.")
        @Default("127.0.0.0/8, ::1, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7, fe80::/10")
        List<Network> exempt,
    @Doc(
            "Connections that a source may make in a minute; beyond it is slowed down, beyond twice as many told 421.")
        @Default("120")
        @Bounds(min = "1", max = "10000000")
        int connectsPerMinute,
    @Doc("Messages that a source may begin in a minute; beyond it is slowed down, then told 450.")
        @Default("300")
        @Bounds(min = "1", max = "10000000")
        int messagesPerMinute,
    @Doc("Recipients that a source may ask for in a minute; the same.")
        @Default("1000")
        @Bounds(min = "1", max = "10000000")
        int recipientsPerMinute,
    @Doc("How much of the limits a source has that is new, in percent.")
        @Default("50")
        @Bounds(min = "1", max = "100000")
        int newPercent,
    @Doc("The same for one with a good name: so much that no large provider gets there.")
        @Default("5000")
        @Bounds(min = "1", max = "100000")
        int goodPercent,
    @Doc("The same for one with a bad name; also of its connections at one time.")
        @Default("10")
        @Bounds(min = "1", max = "100000")
        int badPercent,
    @Doc(
            "Connections a minute from one network (IPv4 /24, IPv6 /48) after which it is refused before anything is done for it; its sources with a good name are served.")
        @Default("3000")
        @Bounds(min = "1", max = "10000000")
        int flood,
    @Doc(
            "Different recipients that do not exist, asked for by one source over all customers, after which it is blocked. From half of it on it gets the same slow answer for every recipient.")
        @Default("5")
        @Bounds(min = "2", max = "16")
        int harvestUnknown,
    @Doc("The least share of recipients that do not exist, in percent, for that.")
        @Default("50")
        @Bounds(min = "1", max = "100")
        int harvestShare,
    @Doc(
            "Different recipients that do not exist, asked for by one source, after which it is blocked whatever their share is. One with a good name has four times as many.")
        @Default("150")
        @Bounds(min = "16", max = "256")
        int harvestMost,
    @Doc("How long recipients that were asked for count.")
        @Default("1h")
        @Bounds(min = "1m", max = "1d")
        Duration harvestWindow,
    @Doc(
            "Sources with unknown recipients of one domain after which the domain is taken to be under attack, if far more of what it is sent is unknown than is usual: two unknown recipients are then too many for a source that is new.")
        @Default("20")
        @Bounds(min = "2", max = "60")
        int attackSources,
    @Doc("How long these count.") @Default("10m") @Bounds(min = "1m", max = "1d")
        Duration attackWindow,
    @Doc(
            "How long a source is blocked the first time; it doubles each time until 90 days are quiet.")
        @Default("1h")
        @Bounds(min = "1s", max = "30d")
        Duration firstBlock,
    @Doc("Longest block.") @Default("30d") @Bounds(min = "1s", max = "365d") Duration longestBlock,
    @Doc(
            "Sources, networks and domains that a node keeps in memory; some 300 bytes each, a few kilobytes where hundreds of recipients were asked for.")
        @Default("100000")
        @Bounds(min = "1000", max = "10000000")
        int rememberedSources) {}
