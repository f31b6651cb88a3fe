/** Many images through ClassifyBatch: in requests that fit the server's limits, one after the other. */
import { create } from "@bufbuild/protobuf";
import { answer, type Result } from "./answer.js";
import { ClassifierError, fromStatus } from "./error.js";
import {
  ClassifyBatchRequestSchema,
  ClassifyImageRequestSchema,
  type ClassifyBatchRequest,
  type ClassifyBatchResponse,
} from "./gen/image_classifier_pb.js";
import { bytes, length, named, tooLarge, type ImageInput, type Item } from "./image.js";
import type { Limits } from "./model.js";

/** Results begin after the whole request has been sent; in a longer one the first images would wait for the last. */
const CALL_BYTES_MAX = 8 << 20;
/** What surrounds an image in its message: id, options, tags and lengths. */
const HEAD_BYTES_MAX = 1024;

/** The options that are sent with each image. */
export interface RequestOptions {
  topK: number;
  model: string;
  explain: boolean;
  embed: boolean;
}

interface Numbered {
  index: number;
  id: string;
  image: ImageInput;
}

export class Batch {
  readonly #source: AsyncIterator<Item>;
  readonly #options: RequestOptions;
  readonly #limits: Limits;
  #taken = 0;
  #exhausted = false;
  /** The first image of the next request, and images to send again. */
  #due: Numbered[] = [];

  constructor(images: Iterable<Item> | AsyncIterable<Item>, options: RequestOptions, limits: Limits) {
    this.#source = iterate(images);
    this.#options = options;
    this.#limits = limits;
  }

  /** The next request; its `rejected` images are not sent. Undefined after the last. */
  async nextCall(): Promise<Call | undefined> {
    const call = new Call();
    let callBytes = 0;
    for (let next = await this.#next(); next; next = await this.#next()) {
      const imageBytes = length(next.image);
      if (this.#limits.imageBytesMax > 0 && imageBytes > this.#limits.imageBytesMax) {
        call.rejected.push(failed(next, tooLarge(imageBytes, this.#limits.imageBytesMax)));
        continue;
      }
      callBytes += imageBytes + HEAD_BYTES_MAX;
      const full = call.images.length >= Math.max(1, this.#limits.batchImagesMax) || callBytes > this.#callBytesMax();
      if (call.images.length > 0 && full) {
        this.#due.unshift(next);
        break;
      }
      await call.add(next, this.#options);
    }
    return call.images.length + call.rejected.length > 0 ? call : undefined;
  }

  /** Puts `images` into the next request again. */
  sendAgain(images: Numbered[]): void {
    this.#due.push(...images);
  }

  /** Ends the caller's iterator. */
  async end(): Promise<void> {
    if (!this.#exhausted) await this.#source.return?.();
  }

  #callBytesMax(): number {
    return Math.min(CALL_BYTES_MAX, this.#limits.messageBytesMax || CALL_BYTES_MAX);
  }

  async #next(): Promise<Numbered | undefined> {
    const due = this.#due.shift();
    if (due || this.#exhausted) return due;
    const { done, value } = await this.#source.next();
    if (done) {
      this.#exhausted = true;
      return undefined;
    }
    return { index: this.#taken++, ...named(value) };
  }
}

/** One ClassifyBatch request. */
export class Call {
  readonly images: Numbered[] = [];
  /** Images that are not sent, each with its error. */
  readonly rejected: Result[] = [];
  readonly message: ClassifyBatchRequest = create(ClassifyBatchRequestSchema);
  readonly #open = new Set<number>();

  async add(item: Numbered, options: RequestOptions): Promise<void> {
    let imageData: Uint8Array;
    try {
      imageData = await bytes(item.image);
    } catch (error) {
      this.rejected.push(failed(item, error as Error)); // an unreadable file, or not an image
      return;
    }
    this.#open.add(this.images.length);
    this.images.push(item);
    this.message.requests.push(create(ClassifyImageRequestSchema, { imageData, id: item.id, ...options }));
  }

  /** The result in `message`, and the image that it belongs to. */
  resultOf(message: ClassifyBatchResponse): { item: Numbered; result: Result } {
    const item = this.images[message.index];
    const { outcome } = message;
    if (!item || !this.#open.delete(message.index) || outcome.case === undefined) {
      throw new ClassifierError("the server sent a result for an unknown image", { code: "INTERNAL" });
    }
    const { index, id } = item;
    const result =
      outcome.case === "error"
        ? failed(item, fromStatus(outcome.value))
        : { index, id, answer: answer(outcome.value) };
    return { item, result };
  }

  /** The images without a result so far. */
  unanswered(): Numbered[] {
    return this.images.filter((_, position) => this.#open.has(position));
  }
}

export function failed({ index, id }: Numbered, error: Error): Result {
  return { index, id, error };
}

async function* iterate<T>(items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T> {
  yield* items;
}
