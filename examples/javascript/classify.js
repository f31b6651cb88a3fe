// node classify.js CLIENT FILE [SERVER]: classifies an image with one of the clients in clients.js.
import { readFile } from "node:fs/promises";
import XMLHttpRequest from "xhr2";
import { clients } from "./clients.js";

globalThis.XMLHttpRequest = XMLHttpRequest; // grpc-web needs the browsers' XMLHttpRequest; the others use fetch

const [client, file, server = "http://localhost:50051"] = process.argv.slice(2);
try {
  const { label, confidence } = await clients[client](server, await readFile(file));
  console.log(`${client}: ${label} ${(100 * confidence).toFixed(1)} %`);
} catch (error) {
  console.error(`${client}: ${error.message}`);
  process.exitCode = 1;
}
