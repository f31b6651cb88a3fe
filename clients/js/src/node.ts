/** Native gRPC for Node.js: one HTTP/2 connection instead of one `fetch` per request. Needs @connectrpc/connect-node. */
import type { Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

/** The option for `new Classifier(server, { transport: grpcTransport(server) })`. */
export function grpcTransport(server: string): Transport {
  return createGrpcTransport({ baseUrl: server });
}
