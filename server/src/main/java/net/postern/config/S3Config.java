package net.postern.config;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

@Doc(
    "A store in the bucket of an S3 server, after those in vault.stores. Use a server or site of its own for each. The bucket has to exist.")
public record S3Config(
    @Doc("The server: scheme, host and port.") @Example("https://s3.example.com") URI endpoint,
    @Doc("Region of the bucket, as the server wants it in signatures.") @Default("us-east-1")
        String region,
    @Doc("The bucket.") @Example("postern-one") String bucket,
    @Doc("What all keys in the bucket begin with, so that it can be shared.") @Default("")
        String prefix,
    @Doc(
            "Access key. It needs the right to list the bucket and its versions and uploads, and to read, write and delete objects and versions.")
        @Example("AKIAEXAMPLE")
        String accessKey,
    @Doc("File with the secret key, and nothing else.") @Default("") Optional<Path> secretKeyFile,
    @Doc("Environment variable with the secret key, instead of a file.") @Default("")
        Optional<String> secretKeyEnv,
    @Doc("Whether the bucket is named in the path and not in the host name.") @Default("true")
        boolean pathStyle,
    @Doc(
            "How long the server is to refuse to delete a segment, from its end; the bucket needs object lock. Nothing can be compacted or cleaned up before, so it costs space. Keys are never locked: they stay erasable.")
        @Default("")
        @Bounds(min = "1d", max = "36500d")
        Optional<Duration> lock,
    @Doc(
            "Who may lift a lock before its time: governance, those with a permission for it; compliance, nobody.")
        @Default("governance")
        LockMode lockMode) {}
