import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { ready } from "./ready";

export const BINARY = process.env.IMAGECLASSIFIER_SERVER_BINARY ?? "../target/debug/imageclassifier-server";

/** A server with options of its own, on a free port, that takes calls. */
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

/** The address that the server says it is serving on. Goes on reading, so that the server can go on saying. */
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
