package net.postern.config;

import java.time.Duration;

@Doc("Asking customers' servers which addresses exist, for domains with validation callout.")
public record CalloutConfig(
    @Doc("How long a client waits at RCPT for a customer's server; then it is told 451.")
        @Default("10s")
        @Bounds(min = "100ms", max = "2m")
        Duration budget,
    @Doc(
            "How long an address that was found is taken without another answer. While the customer's server is away it is taken beyond that.")
        @Default("7d")
        @Bounds(min = "1m", max = "90d")
        Duration positiveLife,
    @Doc("After this time an address that was found is asked for again in the background.")
        @Default("1d")
        @Bounds(min = "1s", max = "90d")
        Duration refresh,
    @Doc("How long an address that was not found is refused without asking again.")
        @Default("2h")
        @Bounds(min = "1s", max = "30d")
        Duration negativeLife,
    @Doc("Most questions at one time to one customer's server.")
        @Default("4")
        @Bounds(min = "1", max = "100")
        int connections) {}
