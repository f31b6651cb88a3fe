/** Servers that take turns. */

/** A longer hint counts as this: timers of longer than 24 days would end at once. */
const HINT_MS_MAX = 86_400_000;
const FIRST_DELAY_MS = 100;
const DELAY_MS_MAX = 5000;
/** For how long one request alone probes a server that was set aside: as long as a connection may take. */
const PROBE_MS = 5000;

/**
 * How long to wait after `failures` failures in a row and one more: doubled each time, and no shorter than the server's hint.
 * Clients that failed together do not come back together.
 */
export function backoffMs(failures: number, hintMs = 0): number {
  const doubled = Math.min(DELAY_MS_MAX, FIRST_DELAY_MS * 2 ** failures);
  return Math.max(doubled, Math.min(hintMs, HINT_MS_MAX)) * (1 + Math.random() / 4);
}

export interface Turn<T> {
  readonly server: T;
  /** Since its last answer. */
  failures: number;
  asideUntil: number;
  isProbing: boolean;
}

/**
 * A server that is unavailable is set aside, longer each time; then one request probes it. If all are set aside, the one whose time is
 * over first is next.
 */
export class Turns<T> {
  #turns: Turn<T>[] = [];
  #at: number;

  constructor(servers: readonly T[]) {
    this.replace(servers);
    // Clients do not all begin with the same server. How many there will be may not be known yet.
    this.#at = Math.floor(Math.random() * 256);
  }

  /** Keeps what is known about those of `servers` that are known. */
  replace(servers: readonly T[]): void {
    const known = new Map(this.#turns.map((turn) => [turn.server, turn]));
    this.#turns = servers.map((server) => known.get(server) ?? { server, failures: 0, asideUntil: 0, isProbing: false });
  }

  get size(): number {
    return this.#turns.length;
  }

  /** The server for the next request. */
  next(): Turn<T> {
    const now = performance.now();
    let best: Turn<T> | undefined;
    let at = 0;
    for (let i = 0; i < this.#turns.length; i++) {
      const position = (this.#at + i) % this.#turns.length;
      const turn = this.#turns[position]!;
      if (!best || Math.max(now, turn.asideUntil) < Math.max(now, best.asideUntil)) {
        best = turn;
        at = position;
      }
    }
    if (!best) throw new RangeError("the list of servers is empty");
    this.#at = at + 1;
    if (best.failures > 0 && best.asideUntil <= now) {
      best.isProbing = true;
      best.asideUntil = now + PROBE_MS;
    }
    return best;
  }

  /** Whether a server is not set aside. */
  get isAnyAvailable(): boolean {
    return this.#turns.some(({ asideUntil }) => asideUntil <= performance.now());
  }

  unavailable(turn: Turn<T>, hintMs?: number): void {
    const now = performance.now();
    if (turn.asideUntil > now && !turn.isProbing) return; // requests that fail together count once
    turn.asideUntil = now + backoffMs(turn.failures, hintMs);
    turn.failures += 1;
    turn.isProbing = false;
  }

  /** The server has answered, even if with an error. */
  answered(turn: Turn<T>): void {
    turn.failures = 0;
    turn.asideUntil = 0;
    turn.isProbing = false;
  }
}
