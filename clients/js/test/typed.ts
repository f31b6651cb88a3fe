// Checked by tsc, never run: the installed package has types that reject wrong uses.
import {
  Classifier,
  ClassifierError,
  type EmbedAnswer,
  type ImageInput,
  type Item,
  type ModelFiles,
  type ModelSummary,
  type Picture,
  type RetryBudget,
  type Result,
} from "imageclassifier";
import { grpcTransport, modelFiles } from "imageclassifier/node";

const classifier = new Classifier("/", { token: "t", retries: 1 });
const servers: readonly string[] = ["http://a:50051", "http://b:50051"];
const retryBudget: RetryBudget = { maxTokens: 10 };
console.log(new Classifier(servers, { retryBudget }), new Classifier(servers, { transport: grpcTransport(servers), retryBudget: false }));
const confidence: number = (await classifier.classify(new Blob())).confidence;
for await (const result of classifier.classifyBatch([{ id: "a", image: new Uint8Array() }])) {
  const one: Result = result;
  const text: string = one.answer ? one.answer.label : one.error.message;
  if (one.error instanceof ClassifierError) console.log(text, confidence, one.error.retryAfterMs);
}
const { embedding }: EmbedAnswer = await classifier.embed(new Blob(), { model: "trees@2" });
const { knownScore, unknown }: { knownScore?: number; unknown: boolean } = await classifier.classify(new Blob(), { embed: true });
const files: ModelFiles = await modelFiles("models/trees");
const models: ModelSummary[] = [...(await classifier.models()), await classifier.publish("trees", files, { version: 3 })];
await classifier.feedback(new Blob(), "oak");
console.log(embedding[0], knownScore, unknown, models);
// @ts-expect-error: no such state
console.log(models[0]?.state === "served");
// The deprecated names.
const old: Picture = new Blob() satisfies ImageInput;
const items: Item[] = [{ id: "a", picture: old }, { id: "b", image: old }, old];
console.log(items);
// @ts-expect-error: an item has an image
classifier.classifyBatch([{ id: "a" }]);
// @ts-expect-error: a path is not an image
await classifier.classify("photo.jpg");
