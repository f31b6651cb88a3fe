import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { ready } from "./ready";

export const BINARY = process.env.IMAGECLASSIFIER_SERVER_BINARY ?? "../target/debug/imageclassifier-server";

/** A ready server with its own options, on a free port. */
export class Server {
  private constructor(
    readonly url: string,
    private readonly process: ChildProcess,
  ) {}

  static async start(options: string[]): Promise<Server> {
    const child = spawn(BINARY, ["--listen", "127.0.0.1:0", ...options], { stdio: ["ignore", "ignore", "pipe"] });
    const server = new Server(await address(child), child);
    await ready(server.url).catch((error) => {
      server.stop();
      throw error;
    });
    return server;
  }

  stop() {
    this.process.kill("SIGKILL");
  }
}

/** The address in the server's log. Keeps reading the log, so that the server does not block on it. */
function address(child: ChildProcess): Promise<string> {
  const said: string[] = [];
  return new Promise((resolve, reject) => {
    createInterface({ input: child.stderr! }).on("line", (line) => {
      said.push(line);
      const found = line.match(/serving .* on (http:\/\/[\d.:]+)/);
      if (found) resolve(found[1]);
    });
    child.on("error", reject);
    child.on("close", () => reject(new Error(`${BINARY} stopped: ${said.join("\n")}`)));
  });
}
