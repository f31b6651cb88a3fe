/** The server's responses about images as plain objects. */
import type {
  ClassifyImageResponse,
  Crop as WireCrop,
  EmbedResponse,
  Timings as WireTimings,
} from "./gen/image_classifier_pb.js";

/**
 * Evidence for a class over `Answer.crop`: `height` rows of `width` unbounded values. Positive values are evidence for the
 * class, negative ones against it.
 */
export interface Heatmap {
  height: number;
  width: number;
  values: number[];
}

/** One class with its probability, 0 to 1. */
export interface Prediction {
  label: string;
  confidence: number;
  index: number;
  /** Only with the option `explain`. */
  heatmap?: Heatmap;
}

/** The square that the network saw, in pixels of the image after its EXIF orientation has been applied. */
export interface Crop {
  left: number;
  top: number;
  side: number;
  pictureWidth: number;
  pictureHeight: number;
}

/** Where the server spent its time, in milliseconds. */
export interface Timings {
  decodeMs: number;
  queueMs: number;
  inferenceMs: number;
}

/** The result for one image: the most probable class, and the `topK` most probable ones, best first. */
export interface Answer {
  label: string;
  confidence: number;
  predictions: Prediction[];
  model: string;
  modelRevision: string;
  timings: Timings;
  requestId: string;
  crop?: Crop;
  /** Whether the image probably shows none of the model's classes. */
  unknown: boolean;
  /**
   * Cosine similarity of the image's features to those of the most similar class, -1 to 1. Absent if the model cannot tell, as for
   * the network's own classes.
   */
  knownScore?: number;
  /** The image's features, as in `EmbedAnswer`. Only with the option `embed`. */
  embedding?: Float32Array;
}

/** The result for one image of several: `answer` or `error`. */
export type Result = { index: number; id: string } & (
  | { answer: Answer; error?: undefined }
  | { answer?: undefined; error: Error }
);

/**
 * The features of one image: similar images have a high cosine similarity. Only features of the same `modelRevision`, that of the
 * network, can be compared.
 */
export interface EmbedAnswer {
  /** Not scaled to a length. */
  embedding: Float32Array;
  modelRevision: string;
  timings: Timings;
  requestId: string;
  crop?: Crop;
}

export function answer(wire: ClassifyImageResponse): Answer {
  const { label, confidence, model, modelRevision, requestId, unknown, knownScore, embedding } = wire;
  return {
    label,
    confidence,
    predictions: wire.predictions.map(({ label, confidence, index, heatmap }) => ({
      label,
      confidence,
      index,
      ...(heatmap && { heatmap: { height: heatmap.height, width: heatmap.width, values: heatmap.values } }),
    })),
    model,
    modelRevision,
    timings: timings(wire.timings),
    requestId,
    ...crop(wire.crop),
    unknown,
    ...(knownScore !== undefined && { knownScore }),
    ...(embedding.length > 0 && { embedding: Float32Array.from(embedding) }),
  };
}

export function embedAnswer(wire: EmbedResponse): EmbedAnswer {
  const { embedding, modelRevision, requestId } = wire;
  return {
    embedding: Float32Array.from(embedding),
    modelRevision,
    timings: timings(wire.timings),
    requestId,
    ...crop(wire.crop),
  };
}

function timings(wire: WireTimings | undefined): Timings {
  return { decodeMs: wire?.decodeMs ?? 0, queueMs: wire?.queueMs ?? 0, inferenceMs: wire?.inferenceMs ?? 0 };
}

function crop(wire: WireCrop | undefined): { crop?: Crop } {
  if (!wire) return {};
  const { left, top, side, pictureWidth, pictureHeight } = wire;
  return { crop: { left, top, side, pictureWidth, pictureHeight } };
}
