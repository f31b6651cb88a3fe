// A server with a model that was trained on the spot: plain images of two colours.
import { execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const program = (name) => fileURLToPath(new URL(`../../../target/debug/${name}`, import.meta.url));
const SIDE = 64;
const COLOURS = { green: [30, 160, 60], red: [200, 30, 30] };
/** Access tokens. */
export const PUBLISHER = "publishers-token";
export const READER = "readers-token";

/** An image (PPM) of the class `label`. */
export function plain(label, shade = 0) {
  const pixel = COLOURS[label].map((value) => value + 12 * shade);
  const pixels = Buffer.concat(Array(SIDE * SIDE).fill(Buffer.from(pixel)));
  return Buffer.concat([Buffer.from(`P6 ${SIDE} ${SIDE} 255\n`), pixels]);
}

/** An empty folder that exists as long as the test process. */
export async function folder(after) {
  const path = await mkdtemp(join(tmpdir(), "own-"));
  after(() => rm(path, { recursive: true }));
  return path;
}

/** Writes photographs into `photographs` and a model of them into `model`, without the user's cache. */
export async function train(photographs, model) {
  for (const label of Object.keys(COLOURS)) {
    await mkdir(join(photographs, label), { recursive: true });
    for (const shade of [0, 1, 2]) await writeFile(join(photographs, label, `${shade}.ppm`), plain(label, shade));
  }
  const cache = join(photographs, "..", "cache");
  await promisify(execFile)(program("imageclassifier"), ["train", photographs, "--output", model, "--cache", cache]);
}

/** Copies `model` to two versions of the model `versions`. */
export async function copyToVersions(model, versions) {
  for (const version of ["1", "2"]) await cp(model, join(versions, version), { recursive: true });
}

/** A file with tokens of which one may publish. */
export async function tokenFile(path) {
  const digest = (token) => createHash("sha256").update(token).digest("hex");
  await writeFile(path, `publisher ${digest(PUBLISHER)} publish\nreader ${digest(READER)}\n`);
  return path;
}

/** Runs a server with `options` until the tests are over; resolves to its URL once it is ready. */
export async function serve(after, ...options) {
  const server = spawn(program("imageclassifier-server"), ["--listen", "127.0.0.1:0", ...options], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  after(() => server.kill("SIGKILL"));
  const said = [];
  return new Promise((resolve, reject) => {
    let url;
    createInterface({ input: server.stderr }).on("line", (line) => {
      said.push(line);
      url ??= line.match(/serving .* on (http:\S+)/)?.[1];
      if (url && line.endsWith(" ready")) resolve(url);
    });
    server.on("error", reject);
    server.on("close", () => reject(new Error(`the server stopped: ${said.join("\n")}`)));
  });
}
