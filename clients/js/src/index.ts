/**
 * Asks an imageclassifier server what a picture shows, from browsers and Node.js. Knows the server's contract, and nothing of
 * pages or of the network behind it.
 */
export type { Answer, Crop, Heatmap, Limits, Model, Prediction, Result, Timings } from "./answer.js";
export { Classifier, type CallOptions, type ClassifierOptions, type ClassifyOptions } from "./classifier.js";
export { ClassifierError, type StatusCode } from "./error.js";
export type { Item, Picture } from "./picture.js";
