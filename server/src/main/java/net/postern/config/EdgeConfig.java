package net.postern.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

@Doc("The SMTP server that receives mail.")
public record EdgeConfig(
    @Doc("Addresses to listen on, as host:port; port 0 takes a free one.") @Default("0.0.0.0:25")
        List<HostPort> listen,
    @Doc("Largest message taken, announced by SIZE (RFC 1870).")
        @Default("50 MiB")
        @Bounds(min = "64 KiB", max = "1 GiB")
        ByteSize maxMessage,
    @Doc("Most recipients of one message (RFC 5321 §4.5.3.1.8 asks for at least 100).")
        @Default("1000")
        @Bounds(min = "100", max = "32000")
        int maxRecipients,
    @Doc("Most messages in one session; then 421.")
        @Default("10000")
        @Bounds(min = "1", max = "10000000")
        int maxMessages,
    @Doc("Errors after which replies are delayed by a second.")
        @Default("10")
        @Bounds(min = "1", max = "10000")
        int softErrors,
    @Doc("Errors after which the session is closed.")
        @Default("20")
        @Bounds(min = "1", max = "10000")
        int hardErrors,
    @Doc(
            "Commands that get nothing done (NOOP, RSET, VRFY, HELP, further EHLO) after which each counts as an error; counted anew after each message.")
        @Default("100")
        @Bounds(min = "1", max = "1000000")
        int junkCommands,
    @Doc(
            "How long a client that is new has to wait for our greeting; one that cannot wait is no mail server. 0s turns it off.")
        @Default("2s")
        @Bounds(min = "0s", max = "30s")
        Duration greetPause,
    @Doc("What happens to a client that speaks before the greeting (RFC 5321 §3.1).")
        @Default("refuse")
        Reaction earlyTalkers,
    @Doc(
            "What happens to a client that sends on without waiting for a reply that it has to wait for (RFC 2920 §3.1).")
        @Default("note")
        Reaction pipeliningAbuse,
    @Doc("Most sessions that are slowed down at one time; beyond it they are sent away with 421.")
        @Default("1000")
        @Bounds(min = "1", max = "1000000")
        int delayedSessions,
    @Doc("Most connections at one time.") @Default("20000") @Bounds(min = "1", max = "1000000")
        int maxConnections,
    @Doc(
            "Most connections at one time from one IPv4 address or IPv6 /64 network; networks in unlimited_sources are not counted.")
        @Default("50")
        @Bounds(min = "1", max = "1000000")
        int maxConnectionsPerSource,
    @Doc("Networks that the limit by source does not apply to.") @Default("")
        List<Network> unlimitedSources,
    @Doc("Longest wait for the client's next command (RFC 5321 §4.5.3.2.7 asks for 5 minutes).")
        @Default("5m")
        @Bounds(min = "100ms", max = "1h")
        Duration commandTimeout,
    @Doc("Longest silence inside a message (RFC 5321 §4.5.3.2.5 asks for 3 minutes).")
        @Default("3m")
        @Bounds(min = "100ms", max = "1h")
        Duration dataTimeout,
    @Doc("Longest time for the whole of one message, however steadily it trickles.")
        @Default("30m")
        @Bounds(min = "100ms", max = "1d")
        Duration messageTimeout,
    @Doc("Longest life of a session.") @Default("2h") @Bounds(min = "100ms", max = "7d")
        Duration sessionTimeout,
    @Doc(
            "Memory for messages that are being received; when it is used up, further ones get 452. 0 means a quarter of the heap.")
        @Default("0")
        ByteSize receiveMemory,
    @Doc(
            "Start of the address of the page that explains a refusal; its reference is put behind. Without it replies only name the reference.")
        @Default("")
        @Example("https://mx.example.com/refused/")
        Optional<String> explainUrl,
    @Doc("Whether STARTTLS is offered.") @Default("true") boolean starttls,
    @Doc("PEM file with the certificate chain; without it one is made on first start.") @Default("")
        Optional<Path> certificate,
    @Doc("PEM file (PKCS #8) with the certificate's private key.") @Default("")
        Optional<Path> privateKey,
    @Doc(
            "Addresses where users log in and send, with STARTTLS, as host:port; usually port 587 (RFC 6409). Empty: none.")
        @Default("")
        @Example("[\"0.0.0.0:587\"]")
        List<HostPort> submission,
    @Doc("The same with TLS from the first byte; usually port 465 (RFC 8314). Empty: none.")
        @Default("")
        @Example("[\"0.0.0.0:465\"]")
        List<HostPort> submissions,
    @Doc(
            "Networks of proxies that begin each connection with a PROXY header (version 1 or 2). It is required from them, and from nobody else is it read.")
        @Default("")
        @Example("[\"10.0.0.5\"]")
        List<Network> proxyNetworks,
    @Doc("Networks of proxies that may say by XCLIENT whose dialogue they pass on.")
        @Default("")
        @Example("[\"10.0.0.6\"]")
        List<Network> xclientNetworks,
    List<EdgeTlsConfig> tls) {}
