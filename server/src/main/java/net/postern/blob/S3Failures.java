package net.postern.blob;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.util.Optional;
import javax.net.ssl.SSLException;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.core.exception.AbortedException;
import software.amazon.awssdk.core.exception.ApiCallAttemptTimeoutException;
import software.amazon.awssdk.core.exception.ApiCallTimeoutException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.S3Exception;

/** Says in a sentence what is wrong with an S3 store, and what to do. */
final class S3Failures {
  private static final int MAX_CAUSES = 16;

  private final S3Settings settings;

  S3Failures(S3Settings settings) {
    this.settings = settings;
  }

  /**
   * @param what was tried, as in "put segments/..."
   */
  IOException explain(String what, SdkException failure) {
    if (failure instanceof AbortedException) {
      Thread.currentThread().interrupt();
      InterruptedIOException interrupted =
          new InterruptedIOException(message(what, "was interrupted"));
      interrupted.initCause(failure);
      return interrupted;
    }
    String reason = failure instanceof S3Exception answer ? answered(answer) : unanswered(failure);
    return new IOException(message(what, reason), failure);
  }

  private String message(String what, String reason) {
    return "store %s: %s: %s".formatted(settings.name(), what, reason);
  }

  /** The error code of an answer, such as {@code NoSuchBucket}; empty when it has none. */
  static String code(S3Exception failure) {
    return Optional.ofNullable(failure.awsErrorDetails())
        .map(AwsErrorDetails::errorCode)
        .orElse("");
  }

  private String answered(S3Exception failure) {
    String server = "the server " + settings.endpoint();
    return switch (code(failure)) {
      case "NoSuchBucket" ->
          "%s has no bucket \"%s\"; make it, or correct its name in the configuration"
              .formatted(server, settings.bucket());
      case "InvalidAccessKeyId" ->
          "%s does not know the access key \"%s\"; correct it in the configuration"
              .formatted(server, settings.accessKey());
      case "SignatureDoesNotMatch" ->
          "%s says that the secret key is not the one of access key \"%s\"; correct it, or the region (now \"%s\")"
              .formatted(server, settings.accessKey(), settings.region());
      case "RequestTimeTooSkewed", "RequestExpired" ->
          "%s says that the clocks differ too much; set this machine's clock, or the server's (NTP)"
              .formatted(server);
      case "AuthorizationHeaderMalformed",
          "PermanentRedirect",
          "IllegalLocationConstraintException" ->
          "%s says that the bucket is in another region than \"%s\"; correct region or endpoint in the configuration (%s)"
              .formatted(server, settings.region(), said(failure));
      case "QuotaExceeded", "XMinioStorageFull", "InsufficientStorage" ->
          server + " has no space left for the bucket; add some or raise the quota";
      case "SlowDown", "ServiceUnavailable", "TooManyRequests" ->
          server + " is overloaded or under maintenance; it is tried again";
      default -> status(server, failure);
    };
  }

  private String status(String server, S3Exception failure) {
    return switch (failure.statusCode()) {
      case 401, 403 ->
          "%s refuses it to access key \"%s\" (%s); give it the right to read, write, list and delete in bucket \"%s\""
              .formatted(server, settings.accessKey(), said(failure), settings.bucket());
      case 507 -> server + " has no space left for the bucket; add some or raise the quota";
      case 503, 429 -> server + " is overloaded or under maintenance; it is tried again";
      default -> "%s answered %d (%s)".formatted(server, failure.statusCode(), said(failure));
    };
  }

  private static String said(S3Exception failure) {
    AwsErrorDetails details = failure.awsErrorDetails();
    String code = code(failure);
    if (details == null || details.errorMessage() == null || details.errorMessage().isBlank()) {
      return code.isEmpty() ? "status " + failure.statusCode() : code;
    }
    return code + ": " + details.errorMessage().strip();
  }

  private String unanswered(SdkException failure) {
    String server = "the server " + settings.endpoint();
    Throwable cause = failure;
    for (int i = 0; i < MAX_CAUSES && cause != null; i++, cause = cause.getCause()) {
      switch (cause) {
        case UnknownHostException e -> {
          return "the host of %s has no address; correct endpoint in the configuration, or the DNS"
              .formatted(settings.endpoint());
        }
        case ConnectException e -> {
          return "%s cannot be reached (%s); is it running, and the port right?"
              .formatted(server, e.getMessage());
        }
        case SSLException e -> {
          return "no secure connection to %s (%s); is its certificate valid and its issuer known to Java?"
              .formatted(server, e.getMessage());
        }
        case SocketTimeoutException e -> {
          return server + " did not answer in time";
        }
        case ApiCallTimeoutException e -> {
          return server + " did not answer in time";
        }
        case ApiCallAttemptTimeoutException e -> {
          return server + " did not answer in time";
        }
        default -> {}
      }
    }
    Throwable root = failure;
    for (int i = 0; i < MAX_CAUSES && root.getCause() != null; i++) {
      root = root.getCause();
    }
    return "no answer from %s (%s)".formatted(server, root);
  }
}
