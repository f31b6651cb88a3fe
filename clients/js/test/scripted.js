// A server that fails on purpose, over real HTTP.
import http from "node:http";
import { Code, ConnectError } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { ErrorInfoSchema, RetryInfoSchema } from "../dist/gen/google/rpc/error_details_pb.js";
import { ImageClassifier } from "../dist/gen/image_classifier_pb.js";

const info = (reason) => create(ErrorInfoSchema, { reason, domain: "imageclassifier", metadata: { hint: "yes" } });
const retry = (ms) => create(RetryInfoSchema, { retryDelay: { seconds: 0n, nanos: ms * 1e6 } });

/** The error of a whole request. */
function callError({ code, reason, retryAfterMs }) {
  const details = [{ desc: ErrorInfoSchema, value: info(reason) }];
  if (retryAfterMs !== undefined) details.push({ desc: RetryInfoSchema, value: retry(retryAfterMs) });
  return new ConnectError(`because of ${reason}`, code, { "x-request-id": "r-1" }, details);
}

/** The error of one image of several. */
function imageError({ code, reason, retryAfterMs }) {
  const details = [anyPack(ErrorInfoSchema, info(reason))];
  if (retryAfterMs !== undefined) details.push(anyPack(RetryInfoSchema, retry(retryAfterMs)));
  return { code, message: `because of ${reason}`, details };
}

export const OVERLOADED = { code: Code.ResourceExhausted, reason: "OVERLOADED", retryAfterMs: 200 };
export const EMPTY = { code: Code.InvalidArgument, reason: "IMAGE_EMPTY" };

/**
 * Fails requests and images as often as `callFailures` and `failures` say, then answers with `name`, or with the image's bytes as
 * label. Native gRPC needs `createServer` of node:http2. `stop` cuts all connections off, `endConnections` lets their requests finish.
 */
export async function scripted(t, createServer = http.createServer, { name, host = "127.0.0.1", port = 0, delayMs = 0 } = {}) {
  const script = { failures: [], callFailures: [], seen: [], batches: [], published: [], kept: [], headers: undefined, aborted: 0 };
  const outcome = (request) => {
    const label = new TextDecoder().decode(request.imageData);
    script.seen.push(label);
    if (label === "") return { error: EMPTY };
    const error = script.failures.shift();
    return error ? { error } : { label: name ?? label };
  };
  const adapter = connectNodeAdapter({
    routes: (router) =>
      router.service(ImageClassifier, {
        async classify(request, context) {
          script.headers = context.requestHeader;
          if (request.model === "slow") {
            context.signal.addEventListener("abort", () => (script.aborted += 1));
            await new Promise((resolve) => setTimeout(resolve, 1000));
          }
          if (delayMs) await new Promise((resolve) => setTimeout(resolve, delayMs));
          const { error, label } = outcome(request);
          if (error) throw callError(error);
          return { label };
        },
        listModels: () => ({
          models: [1, 3, 99].map((state) => ({ name: `model ${state}`, state, training: "no JSON" })),
        }),
        async embed(request) {
          const { error } = outcome(request);
          if (error) throw callError(error);
          return { embedding: [0.5, 2], modelRevision: request.model };
        },
        async publishModel(requests) {
          const of = { name: "", version: 0n, files: {} };
          for await (const { name, version, file, data } of requests) {
            of.name ||= name;
            of.version ||= version;
            of.files[file] = Buffer.concat([of.files[file] ?? Buffer.alloc(0), data]);
          }
          script.published.push(of);
          const error = script.failures.shift();
          if (error) throw callError(error);
          return { model: { name: of.name, version: of.version || 1n } };
        },
        async feedback({ imageData, label }) {
          script.kept.push([new TextDecoder().decode(imageData), label]);
          const error = script.failures.shift();
          if (error) throw callError(error);
          return {};
        },
        getModel: () => ({ name: "scripted", limits: { imageBytesMax: 100n, batchImagesMax: 2, messageBytesMax: 4000n } }),
        async *classifyBatch({ requests }) {
          script.batches.push(requests.length);
          for (let index = requests.length - 1; index >= 0; index--) {
            const { error, label } = outcome(requests[index]);
            const of = { index, id: requests[index].id };
            if (error) yield { ...of, outcome: { case: "error", value: imageError(error) } };
            else yield { ...of, outcome: { case: "response", value: { label } } };
            const failure = script.callFailures.shift();
            if (failure) throw callError(failure);
          }
        },
      }),
  });
  const server = createServer(adapter).listen(port, host);
  await new Promise((resolve) => server.once("listening", resolve));
  const sockets = new Set();
  const sessions = new Set();
  server.on("connection", (socket) => sockets.add(socket));
  server.on("request", ({ headers }) => (script.authority = headers[":authority"] ?? headers.host));
  server.on("session", (session) => sessions.add(session));
  const stop = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  const endConnections = () => {
    for (const session of sessions) session.close();
    sessions.clear();
  };
  t.after(stop);
  return { script, stop, endConnections, port: server.address().port, url: `http://${host}:${server.address().port}` };
}
