// Models of one's own, on the real server: trained, listed and asked, through fetch and over native gRPC.
import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { Classifier } from "../dist/index.js";
import { grpcTransport } from "../dist/node.js";
import { copyToVersions, folder, plain, serve, train } from "./own_server.js";

const own = await folder(after);
await train(join(own, "photographs"), join(own, "models", "colours"));
await copyToVersions(join(own, "models", "colours"), join(own, "models", "versions"));
await mkdir(join(own, "models", "broken"));
await writeFile(join(own, "models", "broken", "config.json"), "{");
const url = await serve(after, "--models", join(own, "models"));
const coffee = await readFile(process.env.COFFEE);

function cosine(a, b) {
  const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

for (const [name, options] of [["gRPC-Web", {}], ["gRPC", { transport: grpcTransport(url) }]]) {
  const classifier = new Classifier(url, options);

  test(`${name}: lists every version of every model`, async () => {
    const models = new Map((await classifier.models()).map((model) => [`${model.name}@${model.version}`, model]));
    assert.deepEqual([...models.keys()].sort(), ["broken@0", "colours@0", "efficientnet-lite0@0", "versions@1", "versions@2"]);
    const network = models.get("efficientnet-lite0@0");
    assert.deepEqual([network.classes, network.isDefault, network.training], [1000, true, undefined]);
    const { revision, digest, training, ...colours } = models.get("colours@0");
    assert.deepEqual(colours, {
      name: "colours",
      version: 0,
      classes: 2,
      base: "efficientnet-lite0",
      state: "serving",
      error: "",
      isCurrent: true,
      isDefault: false,
    });
    assert.equal(training.images, 6);
    const model = await classifier.model("colours");
    assert.deepEqual([revision, digest], [model.revision, model.weightsDigest]);
    assert.deepEqual([1, 2].map((version) => models.get(`versions@${version}`).isCurrent), [false, true]);
    const { state, classes, error } = models.get("broken@0");
    assert.deepEqual([state, classes, error !== ""], ["broken", 0, true]);
  });

  test(`${name}: a model of one's own knows its classes and nothing else`, async () => {
    for (const label of ["green", "red"]) {
      const answer = await classifier.classify(plain(label, 1), { model: "colours" });
      assert.deepEqual([answer.label, answer.model, answer.unknown], [label, "colours", false]);
      assert(answer.knownScore > 0.9);
    }
    const { unknown, knownScore } = await classifier.classify(coffee, { model: "colours" });
    assert(unknown && knownScore < 0.9);
    const answer = await classifier.classify(coffee);
    assert.equal(answer.unknown, false);
    assert(!("knownScore" in answer) && !("embedding" in answer));
  });

  test(`${name}: a version is part of the model's name`, async () => {
    assert.equal((await classifier.classify(plain("red"), { model: "versions@1" })).label, "red");
    assert.equal((await classifier.model("versions@1")).name, "versions");
    await assert.rejects(classifier.classify(plain("red"), { model: "versions@3" }), { reason: "MODEL_UNKNOWN" });
  });

  test(`${name}: features are those of the network for every model`, async () => {
    const { embedding, modelRevision, timings, requestId, crop } = await classifier.embed(coffee);
    assert(embedding instanceof Float32Array);
    assert.equal(embedding.length, 1280);
    assert.equal(modelRevision, (await classifier.model()).revision);
    assert(requestId && timings.inferenceMs > 0 && crop.side > 0);
    assert.deepEqual((await classifier.embed(new Blob([coffee]), { model: "colours" })).embedding, embedding);
    for (const model of ["", "colours"]) {
      assert.deepEqual((await classifier.classify(coffee, { model, embed: true })).embedding, embedding);
    }
    const images = [coffee, plain("red")];
    for await (const { index, answer } of classifier.classifyBatch(images, { model: "colours", embed: true })) {
      const alone = await classifier.embed(images[index]);
      assert.deepEqual([answer.embedding, answer.unknown], [alone.embedding, index === 0]);
    }
  });

  test(`${name}: similar images have similar features`, async () => {
    const images = [plain("red"), plain("red", 1), plain("green"), coffee];
    const [red, reddish, green, other] = await Promise.all(images.map(async (it) => (await classifier.embed(it)).embedding));
    assert(cosine(red, reddish) > cosine(red, green));
    assert(cosine(red, green) > cosine(red, other));
  });

  test(`${name}: embed rejects what classify rejects`, async () => {
    await assert.rejects(classifier.embed(new Uint8Array()), { code: "INVALID_ARGUMENT", reason: "IMAGE_EMPTY" });
    await assert.rejects(classifier.embed(coffee, { model: "nothing" }), { code: "NOT_FOUND", reason: "MODEL_UNKNOWN" });
    await assert.rejects(classifier.embed("photo.jpg"), TypeError);
  });
}
