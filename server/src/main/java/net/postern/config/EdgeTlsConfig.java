package net.postern.config;

import java.nio.file.Path;
import java.util.List;

@Doc(
    "A further certificate, for clients that ask for one of its host names (SNI, RFC 6066 §3). All others get edge.certificate; without that, the first of these.")
public record EdgeTlsConfig(
    @Doc("PEM file with the certificate chain.") @Example("/etc/postern/mail.example.org.pem")
        Path certificate,
    @Doc("PEM file (PKCS #8) with the certificate's private key.")
        @Example("/etc/postern/mail.example.org.key")
        Path privateKey,
    @Doc(
            "Host names that it is shown for; *.example.org stands for one label. Empty: those that the certificate names.")
        @Default("")
        @Example("[\"mail.example.org\"]")
        List<String> hosts) {}
