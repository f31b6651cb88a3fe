/** The client. */
import { create } from "@bufbuild/protobuf";
import { createClient, type Client, type Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import * as wire from "./answer.js";
import type { Answer, Limits, Model, Result } from "./answer.js";
import { Attempts } from "./attempts.js";
import { Batch, failed, type Call, type Question } from "./batch.js";
import { ClassifierError, fromCall, unanswered } from "./error.js";
import { ClassifyImageRequestSchema, ImageClassifier } from "./gen/image_classifier_pb.js";
import { bytes, type Item, type Picture } from "./picture.js";

export interface ClassifierOptions {
  /** An access token, for a server that asks for one. */
  token?: string;
  /** For a call with all its retries; 30 seconds unless given. */
  timeoutMs?: number;
  /** How often to send again what fails for a passing reason, at the server's hint; 3 unless given. */
  retries?: number;
  /** Instead of gRPC-Web through `fetch`; see "imageclassifier/node". */
  transport?: Transport;
}

export interface CallOptions {
  /** Ends the call; it then rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Instead of the client's. */
  timeoutMs?: number;
  /** Instead of the client's. */
  token?: string;
}

export interface ClassifyOptions extends CallOptions {
  /** How many predictions; the server's default, 5, unless given. */
  topK?: number;
  /** Name of the model; the server's default one unless given. */
  model?: string;
  /** Asks for a heatmap with each prediction. */
  explain?: boolean;
}

/** Calls one server. `server` is its URL: of the page's own origin, or of one that allows the page's. */
export class Classifier {
  readonly #client: Client<typeof ImageClassifier>;
  readonly #options: ClassifierOptions;
  #limits: Limits | undefined;

  constructor(server: string, options: ClassifierOptions = {}) {
    const transport = options.transport ?? createGrpcWebTransport({ baseUrl: server });
    this.#client = createClient(ImageClassifier, transport);
    this.#options = options;
  }

  /** What `picture` shows. Rejects with ClassifierError. */
  async classify(picture: Picture, options: ClassifyOptions & { id?: string } = {}): Promise<Answer> {
    const request = create(ClassifyImageRequestSchema, {
      imageData: await bytes(picture),
      id: options.id ?? "",
      ...question(options),
    });
    const call = (attempt: Attempt) => this.#client.classify(request, attempt);
    return wire.answer(await this.#send(call, options, this.#attempts(options)));
  }

  /**
   * What each of `pictures` shows, as the answers come and in any order, in as few calls as the server's limits and prompt
   * answers allow. A picture without an answer has its error in its place; only what stops all of them is thrown.
   * `timeoutMs` is for each call.
   */
  async *classifyBatch(
    pictures: Iterable<Item> | AsyncIterable<Item>,
    options: ClassifyOptions = {},
  ): AsyncGenerator<Result, void, undefined> {
    this.#limits ??= (await this.model("", options)).limits;
    const batch = new Batch(pictures, question(options), this.#limits);
    try {
      let attempts = this.#attempts(options);
      for (let call = await batch.call(); call; call = await batch.call()) {
        yield* call.refused;
        if (call.pictures.length === 0) continue;
        const delayMs = yield* this.#through(call, batch, options, attempts);
        if (delayMs === undefined) attempts = this.#attempts(options);
        else await attempts.wait(delayMs);
      }
    } finally {
      await batch.end();
    }
  }

  /** Describes the model `name`, or the server's default one. */
  async model(name = "", options: CallOptions = {}): Promise<Model> {
    const call = (attempt: Attempt) => this.#client.getModel({ name }, attempt);
    return wire.model(await this.#send(call, options, this.#attempts(options)));
  }

  /** One call of a batch. Gives how long to wait if pictures are to be sent again. */
  async *#through(
    call: Call,
    batch: Batch,
    options: ClassifyOptions,
    attempts: Attempts,
  ): AsyncGenerator<Result, number | undefined, undefined> {
    let delayMs: number | undefined;
    const passing = (error: unknown) => {
      const delay = error instanceof ClassifierError ? attempts.delayMs(error) : undefined;
      if (delay !== undefined) delayMs = Math.max(delayMs ?? 0, delay);
      return delay !== undefined;
    };
    let failure: ClassifierError | undefined;
    const messages = this.#client.classifyBatch(call.message, this.#attempt(options, attempts))[Symbol.asyncIterator]();
    try {
      for (;;) {
        let next;
        try {
          next = await messages.next();
        } catch (error) {
          options.signal?.throwIfAborted();
          failure = fromCall(error);
          break;
        }
        if (next.done) break;
        const { picture, result } = call.answered(next.value);
        if (passing(result.error)) batch.again([picture]);
        else yield result;
      }
    } finally {
      await messages.return?.(); // who stops listening stops the call
    }
    failure ??= unanswered();
    const open = call.open();
    if (open.length > 0 && passing(failure)) batch.again(open);
    else if (open.length > 0 && !failure.retryable) throw failure;
    else for (const picture of open) yield failed(picture, failure);
    return delayMs;
  }

  async #send<T>(call: (attempt: Attempt) => Promise<T>, options: CallOptions, attempts: Attempts): Promise<T> {
    for (;;) {
      try {
        return await call(this.#attempt(options, attempts));
      } catch (error) {
        options.signal?.throwIfAborted();
        const failure = fromCall(error);
        const delayMs = attempts.delayMs(failure);
        if (delayMs === undefined) throw failure;
        await attempts.wait(delayMs);
      }
    }
  }

  #attempts({ timeoutMs, signal }: CallOptions): Attempts {
    return new Attempts(this.#options.retries ?? 3, timeoutMs ?? this.#options.timeoutMs ?? 30_000, signal);
  }

  #attempt(options: CallOptions, attempts: Attempts): Attempt {
    const token = options.token ?? this.#options.token;
    return { ...attempts.options(), ...(token && { headers: { authorization: `Bearer ${token}` } }) };
  }
}

interface Attempt {
  timeoutMs: number;
  signal?: AbortSignal;
  headers?: Record<string, string>;
}

function question({ topK = 0, model = "", explain = false }: ClassifyOptions): Question {
  return { topK, model, explain };
}
