/** Native gRPC, for Node.js: one HTTP/2 connection instead of a fetch for each call. Needs @connectrpc/connect-node. */
import type { Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

/** To be given to `new Classifier(server, { transport: grpcTransport(server) })`. */
export function grpcTransport(server: string): Transport {
  return createGrpcTransport({ baseUrl: server });
}
