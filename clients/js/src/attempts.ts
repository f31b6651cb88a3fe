/** Retries: after the server's hint, otherwise with exponential backoff, and never past the deadline. */
import type { ClassifierError } from "./error.js";

const FIRST_DELAY_MS = 100;
const DELAY_MS_MAX = 5000;

/**
 * The attempts of one request. With `hintedOnly`, only errors with the server's hint lead to another attempt: for requests that
 * change the server. After a lost connection nobody knows whether they took effect.
 */
export class Attempts {
  readonly #deadline: number;
  readonly #signal: AbortSignal | undefined;
  #done = 0;
  readonly #retries: number;
  readonly #hintedOnly: boolean;

  constructor(retries: number, timeoutMs: number, signal: AbortSignal | undefined, hintedOnly = false) {
    this.#retries = retries;
    this.#hintedOnly = hintedOnly;
    this.#deadline = performance.now() + timeoutMs;
    this.#signal = signal;
  }

  /** Options for Connect: the next attempt has the time that is left. */
  options(): { timeoutMs: number; signal?: AbortSignal } {
    return { timeoutMs: this.#left(), ...(this.#signal && { signal: this.#signal }) };
  }

  /** How long to wait before the next attempt; undefined if there should be none. */
  delayMs(error: ClassifierError): number | undefined {
    if (this.#done >= this.#retries || !error.retryable) return undefined;
    if (this.#hintedOnly && error.retryAfterMs === undefined) return undefined;
    const hint = error.retryAfterMs ?? Math.min(DELAY_MS_MAX, FIRST_DELAY_MS * 2 ** this.#done);
    // Clients that were rejected together should not come back together.
    const delay = hint * (1 + Math.random() / 4);
    return delay < this.#left() ? delay : undefined;
  }

  /** Waits. Rejects with the signal's reason if the signal aborts first. */
  async wait(delayMs: number): Promise<void> {
    this.#done += 1;
    await new Promise<void>((resolve, reject) => {
      const signal = this.#signal;
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
