/** The server's responses as plain objects. */
import type { ClassifyImageResponse, GetModelResponse } from "./gen/image_classifier_pb.js";

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
}

/** The result for one image of several: `answer` or `error`. */
export type Result = { index: number; id: string } & (
  | { answer: Answer; error?: undefined }
  | { answer?: undefined; error: Error }
);

/** What the server accepts; 0 if it does not say. */
export interface Limits {
  imageBytesMax: number;
  pixelsMax: number;
  mediaTypes: string[];
  batchImagesMax: number;
  messageBytesMax: number;
}

/** A model that the server serves. */
export interface Model {
  name: string;
  revision: string;
  weightsDigest: string;
  labels: string[];
  inputSize: number;
  limits: Limits;
}

export function answer(wire: ClassifyImageResponse): Answer {
  const { label, confidence, model, modelRevision, requestId, timings, crop } = wire;
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
    timings: {
      decodeMs: timings?.decodeMs ?? 0,
      queueMs: timings?.queueMs ?? 0,
      inferenceMs: timings?.inferenceMs ?? 0,
    },
    requestId,
    ...(crop && {
      crop: {
        left: crop.left,
        top: crop.top,
        side: crop.side,
        pictureWidth: crop.pictureWidth,
        pictureHeight: crop.pictureHeight,
      },
    }),
  };
}

export function model(wire: GetModelResponse): Model {
  const { name, revision, weightsDigest, labels, inputSize, limits } = wire;
  return {
    name,
    revision,
    weightsDigest,
    labels,
    inputSize,
    limits: {
      imageBytesMax: Number(limits?.imageBytesMax ?? 0),
      pixelsMax: Number(limits?.pixelsMax ?? 0),
      mediaTypes: limits?.mediaTypes ?? [],
      batchImagesMax: limits?.batchImagesMax ?? 0,
      messageBytesMax: Number(limits?.messageBytesMax ?? 0),
    },
  };
}
