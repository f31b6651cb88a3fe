/** What only Node.js has: native gRPC, which needs @connectrpc/connect-node, and folders. */
/// <reference types="node" />
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Transport } from "@connectrpc/connect";
import { AddressTransport } from "./addresses.js";
import type { ModelFiles } from "./publish.js";

const REQUIRED_FILES = ["config.json", "model.safetensors"];
const OPTIONAL_FILES = ["report.json", "report.html", "LICENSE"];

/**
 * HTTP/2 connections instead of one `fetch` per request: the option for
 * `new Classifier(server, { transport: grpcTransport(server) })`. Requests take turns over all addresses of the server's name, and
 * over all servers of a list.
 */
export function grpcTransport(server: string): Transport;
export function grpcTransport(servers: readonly string[]): Transport[];
export function grpcTransport(servers: string | readonly string[]): Transport | Transport[] {
  return typeof servers === "string" ? new AddressTransport(servers) : servers.map((server) => new AddressTransport(server));
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
