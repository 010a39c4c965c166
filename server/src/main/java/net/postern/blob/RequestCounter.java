package net.postern.blob;

import java.util.concurrent.atomic.LongAdder;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.core.interceptor.SdkExecutionAttribute;

/** Counts what goes out, retries too. */
final class RequestCounter implements ExecutionInterceptor {
  private final LongAdder put = new LongAdder();
  private final LongAdder get = new LongAdder();
  private final LongAdder list = new LongAdder();
  private final LongAdder head = new LongAdder();
  private final LongAdder delete = new LongAdder();
  private final LongAdder multipart = new LongAdder();

  @Override
  public void beforeTransmission(
      Context.BeforeTransmission context, ExecutionAttributes attributes) {
    String operation = attributes.getAttribute(SdkExecutionAttribute.OPERATION_NAME);
    counter(operation == null ? "" : operation).increment();
  }

  private LongAdder counter(String operation) {
    return switch (operation) {
      case "PutObject", "PutObjectRetention" -> put;
      case "GetObject" -> get;
      case "ListObjectsV2", "ListObjectVersions", "ListMultipartUploads" -> list;
      case "DeleteObject", "DeleteObjects" -> delete;
      case "CreateMultipartUpload",
          "UploadPart",
          "CompleteMultipartUpload",
          "AbortMultipartUpload" ->
          multipart;
      default -> head;
    };
  }

  S3Requests count() {
    return new S3Requests(
        put.sum(), get.sum(), list.sum(), head.sum(), delete.sum(), multipart.sum());
  }
}
