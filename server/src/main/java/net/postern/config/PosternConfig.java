package net.postern.config;

/** The whole configuration of a node. Each component is a section of the file. */
public record PosternConfig(
    NodeConfig node,
    EdgeConfig edge,
    ChecksConfig checks,
    SubmissionConfig submission,
    LimitsConfig limits,
    DnsblConfig dnsbl,
    GreylistConfig greylist,
    DatabaseConfig database,
    VaultConfig vault,
    DeliveryConfig delivery,
    DnsConfig dns,
    CalloutConfig callout,
    ObserveConfig observe) {}
