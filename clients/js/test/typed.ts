// Checked by tsc, never run: the installed package has types that reject wrong uses.
import { Classifier, ClassifierError, type ImageInput, type Item, type Picture, type Result } from "imageclassifier";

const classifier = new Classifier("/", { token: "t", retries: 1 });
const confidence: number = (await classifier.classify(new Blob())).confidence;
for await (const result of classifier.classifyBatch([{ id: "a", image: new Uint8Array() }])) {
  const one: Result = result;
  const text: string = one.answer ? one.answer.label : one.error.message;
  if (one.error instanceof ClassifierError) console.log(text, confidence, one.error.retryAfterMs);
}
// The deprecated names.
const old: Picture = new Blob() satisfies ImageInput;
const items: Item[] = [{ id: "a", picture: old }, { id: "b", image: old }, old];
console.log(items);
// @ts-expect-error: an item has an image
classifier.classifyBatch([{ id: "a" }]);
// @ts-expect-error: a path is not an image
await classifier.classify("photo.jpg");
