/** What the server says about its models, as plain objects. */
import { ModelState as State, type GetModelResponse, type ModelSummary as Summary } from "./gen/image_classifier_pb.js";

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

/**
 * Whether requests can use a version of a model: "broken" if its folder cannot be used, "unloaded" if an operator unloaded it,
 * "unknown" if the server is newer than this package.
 */
export type ModelState = "serving" | "broken" | "unloaded" | "unknown";

/** One version of a model, also of one that is not served. */
export interface ModelSummary {
  name: string;
  /** 0 if the model has no versions. */
  version: number;
  /** As in `Model`; "" if the version is not served, as is `digest`. */
  revision: string;
  digest: string;
  /** How many; 0 if the version is not served. */
  classes: number;
  /** The network that computes the features. */
  base: string;
  state: ModelState;
  /** Why the model's folder cannot be used. If `state` is "serving", its earlier contents stay in use. */
  error: string;
  /** Whether the name alone means this version. */
  isCurrent: boolean;
  /** Whether requests without a name use it. */
  isDefault: boolean;
  /** How the model was trained. Absent for the network itself. */
  training?: Record<string, unknown>;
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

export function modelSummary(wire: Summary): ModelSummary {
  const { name, version, revision, digest, classes, base, error, isCurrent, isDefault } = wire;
  return {
    name,
    version: Number(version),
    revision,
    digest,
    classes,
    base,
    state: state(wire.state),
    error,
    isCurrent,
    isDefault,
    ...training(wire.training),
  };
}

function state(wire: State): ModelState {
  switch (wire) {
    case State.SERVING:
      return "serving";
    case State.BROKEN:
      return "broken";
    case State.UNLOADED:
      return "unloaded";
    default:
      return "unknown";
  }
}

function training(text: string): { training?: Record<string, unknown> } {
  try {
    const training: unknown = JSON.parse(text);
    return training && typeof training === "object" ? { training: training as Record<string, unknown> } : {};
  } catch {
    return {};
  }
}
