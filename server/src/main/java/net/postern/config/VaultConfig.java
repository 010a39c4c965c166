package net.postern.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

@Doc("Where every accepted message is kept, encrypted.")
public record VaultConfig(
    @Doc(
            "Directories, one for each store; put them on different disks or machines. Without it, and without [[vault.s3]], three are made below node.data.")
        @Default("")
        List<Path> stores,
    @Doc(
            "How many stores there are to be, directories and [[vault.s3]] together: every message is kept that often. Without it, as many as there are.")
        @Default("")
        @Bounds(min = "3", max = "16")
        Optional<Integer> copies,
    @Doc(
            "Fewest copies before a message is acknowledged when a store is down; with fewer the reply is 451.")
        @Default("2")
        @Bounds(min = "2", max = "16")
        int minimum,
    @Doc("Longest wait for a store that does not answer, once the others have.")
        @Default("2s")
        @Bounds(min = "10ms", max = "5m")
        Duration storeWait,
    @Doc(
            "Longest wait for a store to answer when it is read, or takes a small object; larger ones get a second more for each MiB.")
        @Default("10s")
        @Bounds(min = "10ms", max = "5m")
        Duration readWait,
    @Doc(
            "Free space below which a store takes no more mail, so that a disk never fills to the last byte.")
        @Default("256 MiB")
        ByteSize reserve,
    @Doc("Size at which a segment is closed and the next begun.")
        @Default("64 MiB")
        @Bounds(min = "1 MiB", max = "1 GiB")
        ByteSize segmentSize,
    @Doc(
            "Bytes a second that the check of what is kept (scrub) reads from each store at most. A full pass of 10 TB takes six days at the default.")
        @Default("20 MiB")
        @Bounds(min = "64 KiB", max = "10 GiB")
        ByteSize scrubRate,
    @Doc("Time from the start of one full check of all stores to the start of the next.")
        @Default("7d")
        @Bounds(min = "1s", max = "365d")
        Duration scrubEvery,
    @Doc(
            "Where the master key comes from, 64 hexadecimal digits: a file; \"env:NAME\", an environment variable; or \"command:PROGRAM ARGUMENT ...\", a program that prints it, as one that asks a KMS (no shell, no quotes, 30 seconds). Without it a file is made as master.key below node.data. Keep a copy elsewhere: without it nothing can be read.")
        @Default("")
        Optional<KeySource> masterKey,
    @Doc(
            "Master keys that open what they once wrapped, in the same form; nothing new is wrapped by them. For the time of a change: docs/howto/rotate-the-master-key.md.")
        @Default("")
        List<KeySource> previousMasterKeys,
    List<S3Config> s3) {}
