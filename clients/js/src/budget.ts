/** How many requests a client may send again: gRPC's retry throttling (proposal A6). */

/**
 * Limits the retries of a client, so that they do not add to the load of servers that fail. The client begins with `maxTokens`. Each
 * failed request takes one, each answered request gives `tokenRatio` back. While half of the tokens or fewer are left, nothing is
 * sent again.
 */
export interface RetryBudget {
  /** Above 0, or `Infinity` for no bound; 100 by default. */
  maxTokens?: number;
  /** At least 0; 0.1 by default. */
  tokenRatio?: number;
}

/** The tokens of one client. */
export class Bucket {
  readonly #tokensMax: number;
  readonly #tokenRatio: number;
  #tokens: number;

  constructor({ maxTokens = 100, tokenRatio = 0.1 }: RetryBudget = {}) {
    if (!(maxTokens > 0 && tokenRatio >= 0)) {
      throw new RangeError("a retry budget needs maxTokens above 0, and a tokenRatio of at least 0");
    }
    this.#tokensMax = maxTokens;
    this.#tokenRatio = tokenRatio;
    this.#tokens = maxTokens;
  }

  get allowsRetries(): boolean {
    // Half of infinity would be infinity.
    return this.#tokens > Math.min(this.#tokensMax, Number.MAX_VALUE) / 2;
  }

  failed(): void {
    this.#tokens = Math.max(0, this.#tokens - 1);
  }

  succeeded(): void {
    this.#tokens = Math.min(this.#tokensMax, this.#tokens + this.#tokenRatio);
  }
}
