/** Retries: after the server's hint, otherwise with exponential backoff, never past the deadline, and within the client's budget. */
import type { Bucket } from "./budget.js";
import { isUnprocessed, type ClassifierError } from "./error.js";
import { backoffMs, type Turn, type Turns } from "./turns.js";

/** How many connections of a request may end before a server has begun to process it. */
const UNPROCESSED_MAX = 5;

/** What all requests of a client share. */
export interface Shared<T> {
  turns: Turns<T>;
  bucket: Bucket | undefined;
}

/** The limits of one request. */
export interface Limit {
  retries: number;
  timeoutMs: number;
  signal: AbortSignal | undefined;
  /**
   * Only errors with the server's hint lead to another attempt: for requests that change the server. After a lost connection nobody
   * knows whether they took effect.
   */
  hintedOnly: boolean;
}

/** The attempts of one request. */
export class Attempts<T> {
  readonly #shared: Shared<T>;
  readonly #limit: Limit;
  readonly #deadline: number;
  #turn: Turn<T> | undefined;
  #done = 0;
  /** Attempts since the last wait that moved to another server at once. */
  #moves = 0;
  #isMoving = false;
  /** Attempts that no server had begun to process when their connections ended. They count as none. */
  #unprocessed = 0;
  #isUnprocessed = false;

  constructor(shared: Shared<T>, limit: Limit) {
    this.#shared = shared;
    this.#limit = limit;
    this.#deadline = performance.now() + limit.timeoutMs;
  }

  /** The server for the next attempt. */
  server(): T {
    this.#turn = this.#shared.turns.next();
    return this.#turn.server;
  }

  /** Options for Connect: the next attempt has the time that is left. */
  options(): { timeoutMs: number; signal?: AbortSignal } {
    const { signal } = this.#limit;
    return { timeoutMs: this.#left(), ...(signal && { signal }) };
  }

  /** The attempt ended with `error`. */
  failed(error: ClassifierError): void {
    const { bucket, turns } = this.#shared;
    const unprocessed = isUnprocessed(error);
    this.#isMoving = false;
    this.#isUnprocessed = unprocessed && this.#unprocessed < UNPROCESSED_MAX;
    if (this.#isUnprocessed) {
      this.#unprocessed += 1;
      return; // another connection may be open
    }
    if (error.retryable) bucket?.failed();
    if (!this.#turn || unprocessed) return;
    if (error.code === "UNAVAILABLE") {
      turns.unavailable(this.#turn, error.retryAfterMs);
      this.#isMoving = this.#moves + 1 < turns.size && turns.isAnyAvailable;
    } else if (error.reason) turns.answered(this.#turn);
  }

  /** The server answered the request. */
  succeeded(): void {
    this.#shared.bucket?.succeeded();
    if (this.#turn) this.#shared.turns.answered(this.#turn);
  }

  /**
   * How long to wait before the next attempt; undefined if there should be none. `error` is that of an attempt, or of one image of
   * several.
   */
  delayMs(error: ClassifierError): number | undefined {
    if (!error.retryable) return undefined;
    if (this.#limit.hintedOnly && error.retryAfterMs === undefined) return undefined;
    if (this.#isUnprocessed && isUnprocessed(error)) return 0;
    if (this.#shared.bucket?.allowsRetries === false) return undefined;
    // Another server need not wait for this one.
    const moves = this.#isMoving && error.code === "UNAVAILABLE";
    if (!moves && this.#done >= this.#limit.retries) return undefined;
    const delay = moves ? 0 : backoffMs(this.#done, error.retryAfterMs);
    return delay < this.#left() ? delay : undefined;
  }

  /** Waits. Rejects with the signal's reason if the signal aborts first. */
  async wait(delayMs: number): Promise<void> {
    if (this.#isMoving) this.#moves += 1;
    else if (!this.#isUnprocessed) {
      this.#done += 1;
      this.#moves = 0;
    }
    this.#isMoving = false;
    this.#isUnprocessed = false;
    await new Promise<void>((resolve, reject) => {
      const { signal } = this.#limit;
      const abort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", abort);
        resolve();
      }, delayMs);
      if (signal?.aborted) abort();
      else signal?.addEventListener("abort", abort, { once: true });
    });
  }

  #left(): number {
    // The header needs an integer; 0 would mean "no timeout" to Connect.
    return Math.max(1, Math.floor(this.#deadline - performance.now()));
  }
}
