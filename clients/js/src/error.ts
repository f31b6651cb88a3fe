/** Errors. */
import type { Message } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { ErrorInfoSchema, RetryInfoSchema, type ErrorInfo, type RetryInfo } from "./gen/google/rpc/error_details_pb.js";
import type { Status } from "./gen/google/rpc/status_pb.js";

/** gRPC's status codes by number. */
const CODES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

export type StatusCode = (typeof CODES)[number];

interface ErrorParts {
  code: StatusCode;
  info?: ErrorInfo | undefined;
  retry?: RetryInfo | undefined;
  requestId?: string | undefined;
  cause?: unknown;
}

/** A request failed, or one image of several. `message` says what the caller can do. */
export class ClassifierError extends Error {
  override readonly name = "ClassifierError";
  readonly code: StatusCode;
  /** One of the contract's ErrorReason; "" if the server was not reached. */
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** The server's retry hint, if it gave one. */
  readonly retryAfterMs: number | undefined;
  /** Identifies the request in the server's log. */
  readonly requestId: string;

  constructor(message: string, { code, info, retry, requestId, cause }: ErrorParts) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.reason = info?.reason ?? "";
    this.metadata = info?.metadata ?? {};
    const delay = retry?.retryDelay;
    this.retryAfterMs = delay && Number(delay.seconds) * 1000 + delay.nanos / 1e6;
    this.requestId = this.metadata.request_id ?? requestId ?? "";
  }

  /** Whether the same request may succeed later. */
  get retryable(): boolean {
    return this.retryAfterMs !== undefined || this.code === "UNAVAILABLE";
  }
}

/** Of Node.js: the connection was refused, lost, or ended before the request was sent. */
const LOST_CODES = /^(E(CONN|PIPE|TIMEDOUT|HOST|NET|NOTFOUND|AI_AGAIN)|ERR_HTTP2_(GOAWAY|INVALID|SESSION|STREAM_CANCEL)|ERR_STREAM_)/;
/** Of HTTP/2, where a connection has ended: the server has not begun to process the request (REFUSED_STREAM), or cannot end it. */
const LOST_STREAM = /\b(NGHTTP2_)?(REFUSED_STREAM|CANCEL)\b/;

/** Whether a request that its caller did not cancel ended with its connection. */
function isLost(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // fetch got no response at all, or only a part of one
  if (error instanceof TypeError) return true;
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  return LOST_CODES.test(code) || LOST_STREAM.test(error.message) || isLost(error.cause);
}

/** The error of a whole request. */
export function fromCall(thrown: unknown): ClassifierError {
  const error = ConnectError.from(thrown);
  const unreachable = error.details.length === 0 && error.code !== Code.DeadlineExceeded && isLost(error);
  const code = unreachable ? "UNAVAILABLE" : codeOf(error.code);
  const message = unreachable ? `the server cannot be reached: ${error.rawMessage}` : error.rawMessage;
  return new ClassifierError(message || `the server returned ${code}`, {
    code,
    info: error.findDetails(ErrorInfoSchema)[0],
    retry: error.findDetails(RetryInfoSchema)[0],
    requestId: error.metadata.get("x-request-id") ?? undefined,
    cause: error,
  });
}

/** Whether HTTP/2 says that the server has not begun to process a request, because it ends the connection. */
export function isUnprocessed({ cause }: ClassifierError): boolean {
  for (let error = cause; error instanceof Error; error = error.cause) {
    if (/\b(NGHTTP2_)?REFUSED_STREAM\b/.test(error.message)) return true;
    if ("code" in error && error.code === "ERR_HTTP2_GOAWAY_SESSION") return true;
  }
  return false;
}

/** The error of one image of several. */
export function fromStatus(status: Status): ClassifierError {
  const detail = <T extends Message>(schema: GenMessage<T>) =>
    status.details.map((packed) => anyUnpack(packed, schema)).find((found) => found !== undefined);
  return new ClassifierError(status.message, {
    code: codeOf(status.code),
    info: detail(ErrorInfoSchema),
    retry: detail(RetryInfoSchema),
  });
}

/** The server ended the response before it had answered every image. */
export function unanswered(): ClassifierError {
  return new ClassifierError("the server sent no response for this image", { code: "INTERNAL" });
}

function codeOf(number: number): StatusCode {
  return CODES[number] ?? "UNKNOWN";
}
