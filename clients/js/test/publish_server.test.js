// Publishing and feedback on the real server: a trained model is served at once, and kept images are photographs to train on.
import assert from "node:assert/strict";
import { mkdir, readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { Classifier } from "../dist/index.js";
import { grpcTransport, modelFiles } from "../dist/node.js";
import { folder, plain, PUBLISHER, READER, serve, tokenFile, train } from "./own_server.js";

const own = await folder(after);
await train(join(own, "photographs"), join(own, "colours"));
const [models, feedback] = [join(own, "models"), join(own, "feedback")];
await mkdir(models);
const options = ["--models", models, "--token-file", await tokenFile(join(own, "tokens")), "--feedback-dir", feedback];
const url = await serve(after, ...options);
const files = await modelFiles(join(own, "colours"));
const classifier = (token) => new Classifier(url, { token, transport: grpcTransport(url) });

test("a published model is served at once", async () => {
  const publisher = classifier(PUBLISHER);
  const { name, version, state, classes, isCurrent, revision } = await publisher.publish("paint", files);
  assert.deepEqual([name, version, state, classes, isCurrent], ["paint", 1, "serving", 2, true]);
  assert.equal((await publisher.classify(plain("red"), { model: "paint" })).modelRevision, revision);
  assert.equal((await publisher.publish("paint", files, { version: 5 })).version, 5);
  const versions = (await publisher.models()).filter(({ name }) => name === "paint").map(({ version }) => version);
  assert.deepEqual(versions, [5, 1]);
  const served = await readFile(join(models, "paint", "5", "model.safetensors"));
  assert.deepEqual(served, files["model.safetensors"]);
});

test("rejects models that cannot be used", async () => {
  const broken = classifier(PUBLISHER).publish("broken", { ...files, "config.json": new Blob(["{}"]) });
  await assert.rejects(broken, { code: "INVALID_ARGUMENT", reason: "MODEL_UNUSABLE", metadata: { model: "broken" } });
  await classifier(PUBLISHER).publish("twice", files, { version: 2 });
  const again = classifier(PUBLISHER).publish("twice", files, { version: 2 });
  await assert.rejects(again, { reason: "MODEL_UNUSABLE" });
});

test("only some tokens may publish", async () => {
  const rejected = classifier(READER).publish("forbidden", files);
  await assert.rejects(rejected, { code: "PERMISSION_DENIED", reason: "PERMISSION_DENIED" });
});

test("large images that are rejected early leave the connection usable", async () => {
  const transport = grpcTransport(url);
  const large = Buffer.concat([plain("red"), Buffer.alloc(5e6)]);
  for (let time = 0; time < 4; time++) {
    await assert.rejects(new Classifier(url, { transport }).classify(large), { code: "UNAUTHENTICATED" });
  }
  assert.ok((await new Classifier(url, { token: READER, transport }).classify(plain("red"))).label);
});

test("keeps images by label", async () => {
  for (const [client, shade] of [[classifier(READER), 0], [new Classifier(url, { token: READER }), 1]]) {
    assert.equal(await client.acceptsFeedback(), true);
    await client.feedback(plain("red", shade), "scarlet");
  }
  const kept = await readdir(join(feedback, "scarlet"));
  const contents = await Promise.all(kept.map((name) => readFile(join(feedback, "scarlet", name), "hex")));
  assert.deepEqual(contents.sort(), [0, 1].map((shade) => plain("red", shade).toString("hex")).sort());
  await assert.rejects(classifier(READER).feedback(plain("red"), " "), { reason: "LABEL_MALFORMED" });
});

test("servers without the options say so", async () => {
  const server = `http://${process.env.SERVER}`;
  assert.equal(await new Classifier(server).acceptsFeedback(), false);
  await assert.rejects(new Classifier(server).feedback(plain("red"), "red"), { reason: "NOT_ENABLED" });
  const published = new Classifier(server, { transport: grpcTransport(server) }).publish("paint", files);
  await assert.rejects(published, { code: "UNIMPLEMENTED", reason: "NOT_ENABLED" });
});
