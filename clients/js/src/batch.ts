/** Many pictures through ClassifyBatch: in calls that the server takes, one after the other. */
import { create } from "@bufbuild/protobuf";
import { answer, type Limits, type Result } from "./answer.js";
import { ClassifierError, fromStatus } from "./error.js";
import {
  ClassifyBatchRequestSchema,
  ClassifyImageRequestSchema,
  type ClassifyBatchRequest,
  type ClassifyBatchResponse,
} from "./gen/image_classifier_pb.js";
import { bytes, length, named, tooLarge, type Item, type Picture } from "./picture.js";

/** A call's answers begin when all of it has been sent: more would have the first pictures wait for the last. */
const CALL_BYTES_MAX = 8 << 20;
/** Around a picture in its message: id, options, tags and lengths. */
const HEAD_BYTES_MAX = 1024;

/** What is asked about each picture. */
export interface Question {
  topK: number;
  model: string;
  explain: boolean;
}

interface Numbered {
  index: number;
  id: string;
  picture: Picture;
}

export class Batch {
  readonly #source: AsyncIterator<Item>;
  readonly #question: Question;
  readonly #limits: Limits;
  #taken = 0;
  #exhausted = false;
  /** The first of the next call, and those to be sent again. */
  #due: Numbered[] = [];

  constructor(pictures: Iterable<Item> | AsyncIterable<Item>, question: Question, limits: Limits) {
    this.#source = iterate(pictures);
    this.#question = question;
    this.#limits = limits;
  }

  /** The next call; `refused` are pictures that are not sent. Undefined when all are through. */
  async call(): Promise<Call | undefined> {
    const call = new Call();
    let callBytes = 0;
    for (let next = await this.#next(); next; next = await this.#next()) {
      const imageBytes = length(next.picture);
      if (this.#limits.imageBytesMax > 0 && imageBytes > this.#limits.imageBytesMax) {
        call.refused.push(failed(next, tooLarge(imageBytes, this.#limits.imageBytesMax)));
        continue;
      }
      callBytes += imageBytes + HEAD_BYTES_MAX;
      const full = call.pictures.length >= Math.max(1, this.#limits.batchImagesMax) || callBytes > this.#callBytesMax();
      if (call.pictures.length > 0 && full) {
        this.#due.unshift(next);
        break;
      }
      await call.add(next, this.#question);
    }
    return call.pictures.length + call.refused.length > 0 ? call : undefined;
  }

  /** These are for the next call again. */
  again(pictures: Numbered[]): void {
    this.#due.push(...pictures);
  }

  /** Tells the caller's iterator that no more is wanted. */
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

/** One ClassifyBatch. */
export class Call {
  readonly pictures: Numbered[] = [];
  readonly refused: Result[] = [];
  readonly message: ClassifyBatchRequest = create(ClassifyBatchRequestSchema);
  readonly #open = new Set<number>();

  async add(picture: Numbered, question: Question): Promise<void> {
    let imageData: Uint8Array;
    try {
      imageData = await bytes(picture.picture);
    } catch (error) {
      this.refused.push(failed(picture, error as Error)); // a file that is gone, or no picture at all
      return;
    }
    this.#open.add(this.pictures.length);
    this.pictures.push(picture);
    this.message.requests.push(create(ClassifyImageRequestSchema, { imageData, id: picture.id, ...question }));
  }

  /** What came of which picture. */
  answered(message: ClassifyBatchResponse): { picture: Numbered; result: Result } {
    const picture = this.pictures[message.index];
    const { outcome } = message;
    if (!picture || !this.#open.delete(message.index) || outcome.case === undefined) {
      throw new ClassifierError("the server answered what was not asked", { code: "INTERNAL" });
    }
    const { index, id } = picture;
    const result =
      outcome.case === "error"
        ? failed(picture, fromStatus(outcome.value))
        : { index, id, answer: answer(outcome.value) };
    return { picture, result };
  }

  /** Those without an answer so far. */
  open(): Numbered[] {
    return this.pictures.filter((_, position) => this.#open.has(position));
  }
}

export function failed({ index, id }: Numbered, error: Error): Result {
  return { index, id, error };
}

async function* iterate<T>(items: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T> {
  yield* items;
}
