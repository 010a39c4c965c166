package net.postern.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

@Doc("Where every accepted message is kept, encrypted.")
public record VaultConfig(
    @Doc(
            "Directories, one for each store; put them on different disks or machines. Without it three are made below node.data.")
        @Default("")
        List<Path> stores,
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
            "Free space below which a store takes no more mail, so that a disk never fills to the last byte.")
        @Default("256 MiB")
        ByteSize reserve,
    @Doc("Size at which a segment is closed and the next begun.")
        @Default("64 MiB")
        @Bounds(min = "1 MiB", max = "1 GiB")
        ByteSize segmentSize,
    @Doc(
            "Where the master key comes from, 64 hexadecimal digits: a file; \"env:NAME\", an environment variable; or \"command:PROGRAM ARGUMENT ...\", a program that prints it, as one that asks a KMS (no shell, no quotes, 30 seconds). Without it a file is made as master.key below node.data. Keep a copy elsewhere: without it nothing can be read.")
        @Default("")
        Optional<KeySource> masterKey,
    @Doc(
            "Master keys that open what they once wrapped, in the same form; nothing new is wrapped by them. For the time of a change: docs/howto/rotate-the-master-key.md.")
        @Default("")
        List<KeySource> previousMasterKeys) {}
