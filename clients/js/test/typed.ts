// Read by tsc, never run: the installed package has types, and wrong uses are seen.
import { Classifier, ClassifierError, type Result } from "imageclassifier";

const classifier = new Classifier("/", { token: "t", retries: 1 });
const confidence: number = (await classifier.classify(new Blob())).confidence;
for await (const result of classifier.classifyBatch([{ id: "a", picture: new Uint8Array() }])) {
  const one: Result = result;
  const text: string = one.answer ? one.answer.label : one.error.message;
  if (one.error instanceof ClassifierError) console.log(text, confidence, one.error.retryAfterMs);
}
// @ts-expect-error: a path is no picture
await classifier.classify("photo.jpg");
