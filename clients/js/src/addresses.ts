/** Native gRPC to a name with several addresses, such as a headless Service of Kubernetes: a connection to each. */
/// <reference types="node" />
import type { LookupAddress } from "node:dns";
import { lookup as resolve } from "node:dns/promises";
import type { LookupFunction } from "node:net";
import type { DescMessage, DescMethodStreaming, DescMethodUnary, MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type ContextValues, type StreamResponse, type Transport, type UnaryResponse } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { fromCall, isUnprocessed } from "./error.js";
import { Turns } from "./turns.js";

/**
 * In megabytes. Node.js counts what a connection still has to send, and goes on counting it where the server has rejected a request
 * before its image has been sent. With the default of 10, the third photograph would end all requests of the connection.
 */
const SESSION_MEMORY_MAX = 4096;
const CONNECT_TIMEOUT_MS = 5000;
/** How soon new addresses are noticed, and how soon after an address has failed. */
const RESOLVE_MS = 30_000;
const RESOLVE_AGAIN_MS = 1000;

interface Connection {
  readonly session: Http2SessionManager;
  readonly transport: Transport;
}

/** Resolves a name to its addresses; tests have their own. */
export type Resolver = (host: string) => Promise<LookupAddress[]>;

const system: Resolver = (host) => resolve(host, { all: true });

export class AddressTransport implements Transport {
  readonly #server: string;
  readonly #host: string;
  readonly #resolver: Resolver;
  readonly #connections = new Map<string, Connection>();
  readonly #turns = new Turns<Connection>([]);
  #resolvedAt = -Infinity;
  #hasFailed = false;
  #resolving: Promise<void> | undefined;

  constructor(server: string, resolver: Resolver = system) {
    this.#server = server;
    this.#host = new URL(server).hostname.replace(/^\[|\]$/g, "");
    this.#resolver = resolver;
  }

  unary<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: HeadersInit | undefined,
    input: MessageInitShape<I>,
    contextValues?: ContextValues,
  ): Promise<UnaryResponse<I, O>> {
    return this.#send(signal, timeoutMs, (transport, leftMs) =>
      transport.unary(method, signal, leftMs, header, input, contextValues),
    );
  }

  stream<I extends DescMessage, O extends DescMessage>(
    method: DescMethodStreaming<I, O>,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: HeadersInit | undefined,
    input: AsyncIterable<MessageInitShape<I>>,
    contextValues?: ContextValues,
  ): Promise<StreamResponse<I, O>> {
    return this.#send(signal, timeoutMs, (transport, leftMs) =>
      transport.stream(method, signal, leftMs, header, input, contextValues),
    );
  }

  /** Sends over the next connection that can be opened. */
  async #send<R>(
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    request: (transport: Transport, leftMs: number | undefined) => Promise<R>,
  ): Promise<R> {
    const since = performance.now();
    const stop = new AbortController();
    const timer = timeoutMs !== undefined && setTimeout(() => stop.abort(outOfTime()), timeoutMs);
    const stopped = new Promise<never>((_, reject) => {
      stop.signal.addEventListener("abort", () => reject(stop.signal.reason), { once: true });
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true, signal: stop.signal });
    });
    stopped.catch(() => {}); // nobody may be waiting for it any more
    try {
      const turn = await Promise.race([this.#connected(), stopped]);
      try {
        const leftMs = timeoutMs && Math.max(1, Math.floor(timeoutMs - (performance.now() - since)));
        const response = await request(turn.server.transport, leftMs);
        this.#turns.answered(turn);
        return response;
      } catch (error) {
        const failure = fromCall(error);
        if (failure.code === "UNAVAILABLE" && !isUnprocessed(failure)) {
          this.#turns.unavailable(turn, failure.retryAfterMs);
          this.#hasFailed = true;
        } else if (failure.reason) this.#turns.answered(turn);
        throw error;
      }
    } finally {
      if (timer) clearTimeout(timer);
      stop.abort();
    }
  }

  /** The next connected address. If no address can be connected, one of them: the request reports its error. */
  async #connected() {
    await this.#resolved();
    for (let others = this.#turns.size - 1; ; others--) {
      const turn = this.#turns.next();
      if (others <= 0 || (await turn.server.session.connect()) !== "error") return turn;
      this.#turns.unavailable(turn);
      this.#hasFailed = true;
    }
  }

  /** Resolves the name if that is due. Requests wait for it only as long as no address is known. */
  async #resolved(): Promise<void> {
    const ageMs = performance.now() - this.#resolvedAt;
    if (ageMs > RESOLVE_MS || (this.#hasFailed && ageMs > RESOLVE_AGAIN_MS)) {
      this.#resolving ??= this.#resolve().finally(() => (this.#resolving = undefined));
      if (this.#turns.size > 0) this.#resolving.catch(() => {}); // the known addresses stay
    }
    if (this.#turns.size === 0) await this.#resolving;
  }

  async #resolve(): Promise<void> {
    let addresses;
    try {
      addresses = await this.#resolver(this.#host);
    } catch (error) {
      throw new ConnectError(`cannot resolve ${this.#host}`, Code.Unavailable, undefined, undefined, error);
    } finally {
      this.#hasFailed = false;
    }
    this.#resolvedAt = performance.now();
    const known = new Set(addresses.map(({ address }) => address));
    // Requests in progress finish; then the connection is closed for being idle.
    for (const address of this.#connections.keys()) if (!known.has(address)) this.#connections.delete(address);
    for (const address of addresses) {
      if (!this.#connections.has(address.address)) this.#connections.set(address.address, this.#connection(address));
    }
    this.#turns.replace([...this.#connections.values()]);
  }

  /** A connection that is made to `address`, but is to the name for the server and for TLS. */
  #connection(address: LookupAddress): Connection {
    const only: LookupFunction = (_, options, callback) =>
      options.all ? callback(null, [address]) : callback(null, address.address, address.family);
    const session = new Http2SessionManager(
      this.#server,
      { connectTimeoutMs: CONNECT_TIMEOUT_MS },
      { maxSessionMemory: SESSION_MEMORY_MAX, lookup: only } as ConstructorParameters<typeof Http2SessionManager>[2],
    );
    return { session, transport: createGrpcTransport({ baseUrl: this.#server, sessionManager: session }) };
  }
}

function outOfTime(): ConnectError {
  return new ConnectError("the deadline passed before a connection was open", Code.DeadlineExceeded);
}
