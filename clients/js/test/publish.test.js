// What is sent to publish a model or to keep an image, and which errors lead to another attempt.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import http2 from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { Classifier } from "../dist/index.js";
import { grpcTransport, modelFiles } from "../dist/node.js";
import { OVERLOADED, scripted } from "./scripted.js";

const LOST = { code: Code.Unavailable, reason: "" };
const FORBIDDEN = { code: Code.PermissionDenied, reason: "PERMISSION_DENIED" };

/** A server and a client that speak native gRPC. */
async function native(t) {
  const { url, script } = await scripted(t, http2.createServer);
  const transport = grpcTransport(url);
  return { classifier: new Classifier(url, { transport }), script };
}

/** A folder with a file in one message, one in several, one without bytes, and one that is no part of the model. */
async function modelFolder(t) {
  const folder = await mkdtemp(join(tmpdir(), "trees-"));
  t.after(() => rm(folder, { recursive: true }));
  const files = {
    "config.json": Buffer.from("{}"),
    "model.safetensors": randomBytes(5_000_000),
    LICENSE: Buffer.alloc(0),
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  await writeFile(join(folder, ".DS_Store"), "not a part of the model");
  return { folder, files };
}

test("publishes a folder's files", async (t) => {
  const { classifier, script } = await native(t);
  const { folder, files } = await modelFolder(t);
  const { name, version, state } = await classifier.publish("trees", await modelFiles(folder));
  assert.deepEqual([name, version, state], ["trees", 1, "unknown"]);
  assert.equal((await classifier.publish("oaks", await modelFiles(folder), { version: 7 })).version, 7);
  assert.deepEqual(script.published, [{ name: "trees", version: 0n, files }, { name: "oaks", version: 7n, files }]);
});

test("a folder that is no model is not read", async (t) => {
  const { folder } = await modelFolder(t);
  await rm(join(folder, "model.safetensors"));
  await assert.rejects(modelFiles(folder), { code: "ENOENT", message: /model\.safetensors/ });
});

test("publishing is retried only after the server's hint", async (t) => {
  const { classifier, script } = await native(t);
  const { folder } = await modelFolder(t);
  const files = await modelFiles(folder);
  script.failures = [OVERLOADED];
  assert.equal((await classifier.publish("trees", files)).version, 1);
  assert.equal(script.published.length, 2);
  assert.deepEqual(script.published[0], script.published[1]);
  script.failures = [LOST, LOST];
  await assert.rejects(classifier.publish("trees", files), { code: "UNAVAILABLE" });
  assert.equal(script.published.length, 3);
  script.failures = [FORBIDDEN];
  await assert.rejects(classifier.publish("trees", files), { code: "PERMISSION_DENIED", reason: "PERMISSION_DENIED" });
});

test("publishing over fetch is an error that says what to do", async () => {
  const published = new Classifier("http://127.0.0.1:1").publish("trees", { "config.json": new Blob(["{}"]) });
  await assert.rejects(published, { name: "ClassifierError", code: "UNIMPLEMENTED", message: /imageclassifier\/node/ });
});

test("feedback sends image and label and is retried", async (t) => {
  const { url, script } = await scripted(t);
  script.failures = [LOST];
  await new Classifier(url).feedback(new Blob(["cat"]), "Katze");
  assert.deepEqual(script.kept, [["cat", "Katze"], ["cat", "Katze"]]);
  await assert.rejects(new Classifier(url).feedback("cat.jpg", "Katze"), TypeError);
});

test("embed is retried", async (t) => {
  const { url, script } = await scripted(t);
  script.failures = [OVERLOADED];
  const answer = await new Classifier(url).embed(new Blob(["cat"]), { model: "trees@3" });
  assert.deepEqual([answer.embedding, answer.modelRevision, answer.crop], [Float32Array.of(0.5, 2), "trees@3", undefined]);
  assert.deepEqual(script.seen, ["cat", "cat"]);
});

test("states and training of newer servers are no error", async (t) => {
  const { url } = await scripted(t);
  const models = await new Classifier(url).models();
  assert.deepEqual(models.map(({ state }) => state), ["serving", "unloaded", "unknown"]);
  assert.deepEqual(models.map(({ training }) => training), [undefined, undefined, undefined]);
});
