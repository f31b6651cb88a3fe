/**
 * A client for an imageclassifier server, for browsers and Node.js. It knows the server's contract, but not the network behind
 * it.
 */
export type { Answer, Crop, EmbedAnswer, Heatmap, Prediction, Result, Timings } from "./answer.js";
export {
  Classifier,
  type CallOptions,
  type ClassifierOptions,
  type ClassifyOptions,
  type EmbedOptions,
  type PublishOptions,
} from "./classifier.js";
export { ClassifierError, type StatusCode } from "./error.js";
export type { ImageInput, Item, NamedImage, NamedPicture, Picture } from "./image.js";
export type { Limits, Model, ModelState, ModelSummary } from "./model.js";
export type { RetryBudget } from "./budget.js";
export type { ModelFiles } from "./publish.js";
