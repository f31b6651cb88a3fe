// The real server in SERVER classifies COFFEE: through fetch and over native gRPC.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { Classifier } from "../dist/index.js";
import { grpcTransport } from "../dist/node.js";

const url = `http://${process.env.SERVER}`;
const coffee = await readFile(process.env.COFFEE);

for (const [name, options] of [["gRPC-Web", {}], ["gRPC", { transport: grpcTransport(url) }]]) {
  const classifier = new Classifier(url, options);

  test(`${name}: an answer`, async () => {
    const answer = await classifier.classify(coffee, { topK: 3 });
    assert.equal(answer.label, "espresso");
    assert(answer.confidence > 0.9);
    assert.deepEqual(answer.predictions[0], { label: "espresso", confidence: answer.confidence, index: 967 });
    assert.equal(answer.predictions.length, 3);
    assert(answer.requestId && answer.model && answer.modelRevision && answer.timings.inferenceMs > 0);
  });

  test(`${name}: accepts a Blob and an ArrayBuffer`, async () => {
    const { confidence } = await classifier.classify(coffee);
    for (const image of [new Blob([coffee]), new Uint8Array(coffee).buffer]) {
      assert.equal((await classifier.classify(image)).confidence, confidence);
    }
  });

  test(`${name}: errors`, async () => {
    await assert.rejects(classifier.classify(new Uint8Array()), { code: "INVALID_ARGUMENT", reason: "IMAGE_EMPTY" });
    const unknown = classifier.classify(coffee, { model: "кот 🐈" });
    await assert.rejects(unknown, (error) => {
      assert.deepEqual([error.code, error.reason, error.metadata.model], ["NOT_FOUND", "MODEL_UNKNOWN", "кот 🐈"]);
      assert(error.requestId);
      return true;
    });
  });

  test(`${name}: the model`, async () => {
    const { labels, limits, weightsDigest } = await classifier.model();
    assert.equal(labels.length, 1000);
    assert(limits.mediaTypes.includes("image/jpeg"));
    assert.match(weightsDigest, /^[0-9a-f]{64}$/);
  });

  test(`${name}: heatmaps, over the crop`, async () => {
    const { predictions, crop } = await classifier.classify(coffee, { topK: 2, explain: true });
    for (const { heatmap } of predictions) assert.equal(heatmap.values.length, heatmap.height * heatmap.width);
    assert(crop.side <= Math.min(crop.pictureWidth, crop.pictureHeight));
  });

  test(`${name}: a batch`, async () => {
    const images = Array.from({ length: 24 }, (_, i) => ({ id: `n° ${i}`, image: i % 3 ? coffee : new Blob(["not an image"]) }));
    const seen = new Set();
    for await (const { index, id, answer, error } of classifier.classifyBatch(images)) {
      assert.equal(id, `n° ${index}`);
      if (index % 3) assert.equal(answer.label, "espresso");
      else assert.equal(error.reason, "IMAGE_FORMAT_UNKNOWN");
      seen.add(index);
    }
    assert.equal(seen.size, 24);
  });
}
