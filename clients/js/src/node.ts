/** What only Node.js has: native gRPC, which needs @connectrpc/connect-node, and folders. */
/// <reference types="node" />
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import type { ModelFiles } from "./publish.js";

const REQUIRED_FILES = ["config.json", "model.safetensors"];
const OPTIONAL_FILES = ["report.json", "report.html", "LICENSE"];

/**
 * In megabytes. Node.js counts what a connection still has to send, and goes on counting it where the server has rejected a request
 * before its image has been sent. With the default of 10, the third photograph would end all requests of the connection.
 */
const SESSION_MEMORY_MAX = 4096;

/**
 * One HTTP/2 connection instead of one `fetch` per request: the option for
 * `new Classifier(server, { transport: grpcTransport(server) })`.
 */
export function grpcTransport(server: string): Transport {
  return createGrpcTransport({ baseUrl: server, nodeOptions: { maxSessionMemory: SESSION_MEMORY_MAX } });
}

/**
 * The files of a model in `folder`, which `imageclassifier train` wrote, for `Classifier.publish`. Other files are left out. Rejects
 * if a file cannot be read.
 */
export async function modelFiles(folder: string): Promise<ModelFiles> {
  const files: ModelFiles = {};
  for (const name of REQUIRED_FILES) files[name] = await readFile(join(folder, name));
  for (const name of OPTIONAL_FILES) {
    const content = await readFile(join(folder, name)).catch((error) => {
      if (error.code !== "ENOENT") throw error;
    });
    if (content) files[name] = content;
  }
  return files;
}
