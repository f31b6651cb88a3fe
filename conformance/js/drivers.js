// The client libraries behind one interface, with protobuf-es messages:
//   unary(method, request, { timeoutMs, signal, headers }) -> { message, headers: Headers }
//   stream(method, request, options) -> async iterable; bidi(method, requests) if the library supports it
//   failure(error) -> { code, message, details: bytes of google.rpc.Status or undefined }
import { readFileSync } from "node:fs";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { base64Decode } from "@bufbuild/protobuf/wire";
import { ConnectError, createClient, encodeBinaryHeader } from "@connectrpc/connect";
import { compressionGzip, createGrpcTransport, createGrpcWebTransport as nodeGrpcWeb } from "@connectrpc/connect-node";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { GrpcWebFetchTransport } from "@protobuf-ts/grpcweb-transport";
import { GrpcWebClientBase, MethodDescriptor, MethodType } from "grpc-web";
import { createChannel, createClient as niceClient, Metadata } from "nice-grpc-web";
import XMLHttpRequest from "xhr2";
import { StatusSchema } from "./gen/google/rpc/status_pb.js";

globalThis.XMLHttpRequest = XMLHttpRequest; // grpc-web needs the browsers' XMLHttpRequest

const version = (name) => JSON.parse(readFileSync(`node_modules/${name}/package.json`, "utf8")).version;
// With Node.js's default of 10 MB, a cancelled message of 10 MiB blocks all later streams of the connection.
const NODE_OPTIONS = { maxSessionMemory: 32 };

const status = (text) => text && fromBinary(StatusSchema, base64Decode(text));

export function drivers(server) {
  return [
    connect("@connectrpc/connect-web", "gRPC-Web", createGrpcWebTransport({ baseUrl: server })),
    connectNode("gRPC-Web", (options) => nodeGrpcWeb({ baseUrl: server, httpVersion: "1.1", ...options })),
    {
      ...connectNode("gRPC", (options) => createGrpcTransport({ baseUrl: server, nodeOptions: NODE_OPTIONS, ...options })),
      note: "needs `nodeOptions: { maxSessionMemory: 32 }`: Node.js counts cancelled messages as used memory, and by default opens no stream over 10 MB",
    },
    grpcWeb(server, "binary"),
    grpcWeb(server, "text"),
    niceGrpcWeb(server),
    protobufTs(server),
  ];
}

function connectNode(protocol, transport) {
  const name = "@connectrpc/connect-node";
  const compressing = transport({ sendCompression: compressionGzip, compressMinBytes: 0 });
  return {
    ...connect(name, protocol, transport()),
    bidi: (method, requests) => createClient(method.parent, transport())[method.localName](requests),
    compressed: connect(name, protocol, compressing),
  };
}

function connect(name, protocol, transport) {
  const call = (method) => createClient(method.parent, transport)[method.localName];
  return {
    name,
    version: version(name),
    protocol,
    async unary(method, request, options = {}) {
      let headers;
      const message = await call(method)(request, { ...options, onHeader: (received) => (headers = received) });
      return { message, headers };
    },
    stream: (method, request, options) => call(method)(request, options),
    failure(thrown) {
      const error = ConnectError.from(thrown);
      const packed = error.metadata.get("grpc-status-details-bin");
      // Connect moves the details from the metadata to error.details.
      const details = packed
        ? status(packed)
        : { details: error.details.map(({ type, value }) => ({ typeUrl: `type.googleapis.com/${type}`, value })) };
      return { code: error.code, message: error.rawMessage, details };
    },
  };
}

function grpcWeb(server, format) {
  const client = new GrpcWebClientBase({ format });
  const descriptor = (method, type) =>
    new MethodDescriptor(
      path(method),
      type,
      Object,
      Object,
      (request) => toBinary(method.input, request),
      (bytes) => fromBinary(method.output, bytes),
    );
  // The library ignores a deadline that has already passed, so the timeout starts when the library reads the deadline.
  const metadata = ({ timeoutMs, headers }) => ({
    ...headers,
    ...(timeoutMs && { deadline: { valueOf: () => Date.now() + timeoutMs } }),
  });
  return {
    name: `grpc-web, ${format}`,
    version: version("grpc-web"),
    protocol: format === "text" ? "gRPC-Web text" : "gRPC-Web",
    unary(method, request, options = {}) {
      return new Promise((resolve, reject) => {
        let headers;
        const call = client.rpcCall(server + path(method), request, metadata(options), descriptor(method, MethodType.UNARY), (error, message) =>
          // The metadata event follows in the same turn of the event loop.
          error ? reject(error) : setTimeout(() => resolve({ message, headers })),
        );
        call.on("metadata", (received) => (headers = new Headers(received)));
        options.signal?.addEventListener("abort", () => {
          call.cancel();
          reject(options.signal.reason);
        });
      });
    },
    stream: (method, request) =>
      new ReadableStream({
        start(controller) {
          const call = client.serverStreaming(server + path(method), request, {}, descriptor(method, MethodType.SERVER_STREAMING));
          call.on("data", (message) => controller.enqueue(message));
          call.on("error", (error) => controller.error(error));
          call.on("end", () => controller.close());
        },
      }),
    failure: ({ code, message, metadata }) => ({ code, message, details: status(metadata?.["grpc-status-details-bin"]) }),
  };
}

function niceGrpcWeb(server) {
  const channel = createChannel(server);
  const call = (method) =>
    niceClient(
      {
        [method.localName]: {
          path: path(method),
          requestStream: method.methodKind === "bidi_streaming",
          responseStream: method.methodKind !== "unary",
          requestSerialize: (request) => toBinary(method.input, request),
          responseDeserialize: (bytes) => fromBinary(method.output, bytes),
          options: {},
        },
      },
      channel,
    )[method.localName];
  const options = ({ signal, timeoutMs, headers } = {}, onHeader, onTrailer) => ({
    signal: timeoutMs ? undefined : signal,
    metadata: Metadata({ ...headers, ...(timeoutMs && { "grpc-timeout": `${timeoutMs}m` }) }),
    onHeader,
    onTrailer,
  });
  let trailer; // of the latest request, because the library's errors have no trailers
  return {
    name: "nice-grpc-web",
    version: version("nice-grpc-web"),
    protocol: "gRPC-Web",
    async unary(method, request, given) {
      let headers;
      const message = await call(method)(
        request,
        options(given, (received) => (headers = new Headers([["x-request-id", received.get("x-request-id")]])), (received) => (trailer = received)),
      );
      return { message, headers };
    },
    stream: (method, request, given) => call(method)(request, options(given)),
    bidi: (method, requests) => call(method)(requests),
    failure({ code, details }) {
      const packed = trailer?.get("grpc-status-details-bin");
      return { code, message: details, details: packed && fromBinary(StatusSchema, packed) };
    },
  };
}

function protobufTs(server) {
  const transport = new GrpcWebFetchTransport({ baseUrl: server, format: "binary" });
  const info = (method) => ({
    name: method.name,
    localName: method.localName,
    service: { typeName: method.parent.typeName, methods: [], options: {} },
    I: { toBinary: (request) => toBinary(method.input, request) },
    O: { fromBinary: (bytes) => fromBinary(method.output, bytes) },
    options: {},
  });
  const options = ({ timeoutMs, signal, headers } = {}) =>
    transport.mergeOptions({ abort: signal, timeout: timeoutMs, meta: headers ?? {} });
  const CODES = ["OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND"]; // those that the checks expect
  return {
    name: "@protobuf-ts/grpcweb-transport",
    version: version("@protobuf-ts/grpcweb-transport"),
    protocol: "gRPC-Web",
    async unary(method, request, given) {
      const { response, headers } = await transport.unary(info(method), request, options(given));
      return { message: response, headers: new Headers(headers) };
    },
    stream: (method, request, given) => transport.serverStreaming(info(method), request, options(given)).responses,
    failure: ({ code, message, meta }) => ({
      code: CODES.indexOf(code),
      message,
      details: status(meta?.["grpc-status-details-bin"]),
    }),
  };
}

function path(method) {
  return `/${method.parent.typeName}/${method.name}`;
}
