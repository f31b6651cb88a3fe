/** The client. */
import { create } from "@bufbuild/protobuf";
import { createClient, type Client, type Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import * as wire from "./answer.js";
import type { Answer, EmbedAnswer, Result } from "./answer.js";
import { Attempts, type Shared } from "./attempts.js";
import { Batch, failed, type Call, type RequestOptions } from "./batch.js";
import { Bucket, type RetryBudget } from "./budget.js";
import { ClassifierError, fromCall, unanswered } from "./error.js";
import {
  ClassifyImageRequestSchema,
  EmbedRequestSchema,
  FeedbackRequestSchema,
  ImageClassifier,
  ModelSummarySchema,
} from "./gen/image_classifier_pb.js";
import { bytes, type ImageInput, type Item } from "./image.js";
import { model, modelSummary, type Limits, type Model, type ModelSummary } from "./model.js";
import { publishParts, type ModelFiles } from "./publish.js";
import { Turns } from "./turns.js";

export interface ClassifierOptions {
  /** An access token, for a server that requires one. */
  token?: string;
  /** For a request with all its retries; 30 seconds by default. */
  timeoutMs?: number;
  /** How often to retry a transient failure, after the server's hint, at another server if there is one; 3 by default. */
  retries?: number;
  /** Bounds the retries of all requests together; false means no bound. */
  retryBudget?: RetryBudget | false;
  /** Replaces gRPC-Web over `fetch`, one transport for each server; see "imageclassifier/node". */
  transport?: Transport | readonly Transport[];
}

export interface CallOptions {
  /** Cancels the request, which then rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Overrides the client's option. */
  timeoutMs?: number;
  /** Overrides the client's option. */
  token?: string;
}

export interface ClassifyOptions extends CallOptions {
  /** How many predictions; by default the server's default, 5. */
  topK?: number;
  /** Name of the model, or NAME@VERSION; by default the server's default model. */
  model?: string;
  /** Requests a heatmap with each prediction. */
  explain?: boolean;
  /** Requests the image's features. */
  embed?: boolean;
}

export interface EmbedOptions extends CallOptions {
  /** Any model of the server, as in `ClassifyOptions`: all share a network. */
  model?: string;
}

export interface PublishOptions extends CallOptions {
  /** Above the highest version so far; by default the next one. */
  version?: number;
}

type Rpc = Client<typeof ImageClassifier>;

/**
 * A client for one server or several that are alike. `server` is its URL: the page's own origin, or one that allows the page's
 * origin. Requests take turns over all servers of a list.
 */
export class Classifier {
  readonly #shared: Shared<Rpc>;
  readonly #options: ClassifierOptions;
  #limits: Limits | undefined;

  constructor(server: string | readonly string[], options: ClassifierOptions = {}) {
    const transports = options.transport ?? [server].flat().map((baseUrl) => createGrpcWebTransport({ baseUrl }));
    const servers = [transports].flat().map((transport) => createClient(ImageClassifier, transport));
    if (servers.length === 0) throw new RangeError("the list of servers is empty");
    const { retryBudget } = options;
    this.#shared = {
      turns: new Turns(servers),
      bucket: retryBudget === false ? undefined : new Bucket(retryBudget),
    };
    this.#options = options;
  }

  /** Classifies `image`. Rejects with ClassifierError, or with TypeError if `image` is not an image. */
  async classify(image: ImageInput, options: ClassifyOptions & { id?: string } = {}): Promise<Answer> {
    const request = create(ClassifyImageRequestSchema, {
      imageData: await bytes(image),
      id: options.id ?? "",
      ...requestOptions(options),
    });
    const call = (rpc: Rpc, attempt: Attempt) => rpc.classify(request, attempt);
    return wire.answer(await this.#send(call, options, this.#attempts(options)));
  }

  /**
   * Classifies each of `images`. Results come as soon as they are ready, in any order. The images go in as few requests as the
   * server's limits and prompt results allow. An image that fails has its error in its result; only an error that stops all
   * images is thrown. `timeoutMs` is for each request.
   */
  async *classifyBatch(
    images: Iterable<Item> | AsyncIterable<Item>,
    options: ClassifyOptions = {},
  ): AsyncGenerator<Result, void, undefined> {
    this.#limits ??= (await this.model("", options)).limits;
    const batch = new Batch(images, requestOptions(options), this.#limits);
    try {
      let attempts = this.#attempts(options);
      for (let call = await batch.nextCall(); call; call = await batch.nextCall()) {
        yield* call.rejected;
        if (call.images.length === 0) continue;
        const delayMs = yield* this.#sendBatch(call, batch, options, attempts);
        if (delayMs === undefined) attempts = this.#attempts(options);
        else await attempts.wait(delayMs);
      }
    } finally {
      await batch.end();
    }
  }

  /** Describes the model `name` (NAME or NAME@VERSION), or the server's default model. */
  async model(name = "", options: CallOptions = {}): Promise<Model> {
    const call = (rpc: Rpc, attempt: Attempt) => rpc.getModel({ name }, attempt);
    return model(await this.#send(call, options, this.#attempts(options)));
  }

  /**
   * Lists the server's models by name, with all versions of each, the highest first. NAME or NAME@VERSION is the option `model` of
   * the other methods.
   */
  async models(options: CallOptions = {}): Promise<ModelSummary[]> {
    const call = (rpc: Rpc, attempt: Attempt) => rpc.listModels({}, attempt);
    const { models } = await this.#send(call, options, this.#attempts(options));
    return models.map(modelSummary);
  }

  /**
   * Computes the features of `image`, a vector to compare images by. For the classes too, in one pass of the network, use
   * `classify` with `embed`. Rejects as `classify` does.
   */
  async embed(image: ImageInput, options: EmbedOptions = {}): Promise<EmbedAnswer> {
    const request = create(EmbedRequestSchema, { imageData: await bytes(image), model: options.model ?? "" });
    const call = (rpc: Rpc, attempt: Attempt) => rpc.embed(request, attempt);
    return wire.embedAnswer(await this.#send(call, options, this.#attempts(options)));
  }

  /**
   * Adds a model to the server's models, as the next version of `name`; resolves to that version, which is served from then on.
   * `files` comes from `modelFiles` in "imageclassifier/node". Needs a token that may publish, and the `transport` of
   * "imageclassifier/node": browsers cannot stream requests.
   *
   * Retried only if the server rejected the request with a hint: after other errors, such as a lost connection, `models` tells
   * whether the version was added.
   */
  async publish(name: string, files: ModelFiles, options: PublishOptions = {}): Promise<ModelSummary> {
    if (!this.#options.transport) {
      const message = "publishing needs native gRPC: pass the transport of imageclassifier/node";
      throw new ClassifierError(message, { code: "UNIMPLEMENTED" });
    }
    const parts = await publishParts(name, options.version ?? 0, files);
    const call = (rpc: Rpc, attempt: Attempt) => rpc.publishModel(stream(parts), attempt);
    const published = await this.#send(call, options, this.#attempts(options, true));
    return modelSummary(published.model ?? create(ModelSummarySchema));
  }

  /**
   * Keeps `image` on the server with its correct `label`, for training. It may be a new label. Needs a server with a folder for
   * such images. Rejects as `classify` does.
   */
  async feedback(image: ImageInput, label: string, options: CallOptions = {}): Promise<void> {
    const request = create(FeedbackRequestSchema, { imageData: await bytes(image), label });
    const call = (rpc: Rpc, attempt: Attempt) => rpc.feedback(request, attempt);
    await this.#send(call, options, this.#attempts(options));
  }

  /** Whether the server keeps the images of `feedback`. */
  async acceptsFeedback(options: CallOptions = {}): Promise<boolean> {
    const call = (rpc: Rpc, attempt: Attempt) => rpc.listModels({}, attempt);
    const { acceptsFeedback } = await this.#send(call, options, this.#attempts(options));
    return acceptsFeedback;
  }

  /** One request of a batch. Returns how long to wait if images have to be sent again. */
  async *#sendBatch(
    call: Call,
    batch: Batch,
    options: ClassifyOptions,
    attempts: Attempts<Rpc>,
  ): AsyncGenerator<Result, number | undefined, undefined> {
    let delayMs: number | undefined;
    const isTransient = (error: unknown) => {
      const delay = error instanceof ClassifierError ? attempts.delayMs(error) : undefined;
      if (delay !== undefined) delayMs = Math.max(delayMs ?? 0, delay);
      return delay !== undefined;
    };
    let failure: ClassifierError | undefined;
    const messages = attempts.server().classifyBatch(call.message, this.#attempt(options, attempts))[Symbol.asyncIterator]();
    try {
      for (;;) {
        let next;
        try {
          next = await messages.next();
        } catch (error) {
          options.signal?.throwIfAborted();
          failure = fromCall(error);
          attempts.failed(failure);
          break;
        }
        if (next.done) {
          attempts.succeeded();
          break;
        }
        const { item, result } = call.resultOf(next.value);
        if (isTransient(result.error)) batch.sendAgain([item]);
        else yield result;
      }
    } finally {
      await messages.return?.(); // a caller that stops iterating cancels the request
    }
    failure ??= unanswered();
    const open = call.unanswered();
    if (open.length > 0 && isTransient(failure)) batch.sendAgain(open);
    else if (open.length > 0 && !failure.retryable) throw failure;
    else for (const item of open) yield failed(item, failure);
    return delayMs;
  }

  async #send<T>(
    call: (rpc: Rpc, attempt: Attempt) => Promise<T>,
    options: CallOptions,
    attempts: Attempts<Rpc>,
  ): Promise<T> {
    for (;;) {
      try {
        const response = await call(attempts.server(), this.#attempt(options, attempts));
        attempts.succeeded();
        return response;
      } catch (error) {
        options.signal?.throwIfAborted();
        const failure = fromCall(error);
        attempts.failed(failure);
        const delayMs = attempts.delayMs(failure);
        if (delayMs === undefined) throw failure;
        await attempts.wait(delayMs);
      }
    }
  }

  #attempts({ timeoutMs, signal }: CallOptions, hintedOnly = false): Attempts<Rpc> {
    return new Attempts(this.#shared, {
      retries: this.#options.retries ?? 3,
      timeoutMs: timeoutMs ?? this.#options.timeoutMs ?? 30_000,
      signal,
      hintedOnly,
    });
  }

  #attempt(options: CallOptions, attempts: Attempts<Rpc>): Attempt {
    const token = options.token ?? this.#options.token;
    return { ...attempts.options(), ...(token && { headers: { authorization: `Bearer ${token}` } }) };
  }
}

interface Attempt {
  timeoutMs: number;
  signal?: AbortSignal;
  headers?: Record<string, string>;
}

function requestOptions({ topK = 0, model = "", explain = false, embed = false }: ClassifyOptions): RequestOptions {
  return { topK, model, explain, embed };
}

async function* stream<T>(messages: T[]): AsyncGenerator<T> {
  yield* messages;
}
