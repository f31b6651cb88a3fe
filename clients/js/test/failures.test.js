// Errors, retries and bounds, against a server that fails on purpose.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { Classifier, ClassifierError } from "../dist/index.js";
import { EMPTY, OVERLOADED, scripted } from "./scripted.js";

const image = (text) => new TextEncoder().encode(text);
const FATAL = { code: Code.Unauthenticated, reason: "UNAUTHENTICATED" };

async function gathered(results) {
  const all = [];
  for await (const result of results) all.push(result);
  return all.sort((a, b) => a.index - b.index);
}

test("errors carry code, reason and request id", async (t) => {
  const { url } = await scripted(t);
  await assert.rejects(new Classifier(url).classify(image("")), (error) => {
    assert(error instanceof ClassifierError);
    const { code, reason, metadata, retryAfterMs, retryable, requestId, message } = error;
    assert.deepEqual(
      { code, reason, metadata, retryAfterMs, retryable, requestId, message },
      {
        code: "INVALID_ARGUMENT",
        reason: "IMAGE_EMPTY",
        metadata: { hint: "yes" },
        retryAfterMs: undefined,
        retryable: false,
        requestId: "r-1",
        message: "because of IMAGE_EMPTY",
      },
    );
    return true;
  });
});

test("retries after the server's hint", async (t) => {
  const { url, script } = await scripted(t);
  script.failures = [OVERLOADED, OVERLOADED];
  const since = performance.now();
  const { label } = await new Classifier(url).classify(image("cat"));
  assert.equal(label, "cat");
  assert.deepEqual(script.seen, ["cat", "cat", "cat"]);
  assert(performance.now() - since >= 400);
});

test("stops after the allowed retries", async (t) => {
  const { url, script } = await scripted(t);
  script.failures = Array(9).fill(OVERLOADED);
  const failing = new Classifier(url, { retries: 1 }).classify(image("cat"));
  await assert.rejects(failing, { reason: "OVERLOADED", retryAfterMs: 200, retryable: true });
  assert.equal(script.seen.length, 2);
});

test("never waits past the deadline", async (t) => {
  const { url, script } = await scripted(t);
  script.failures = [{ ...OVERLOADED, retryAfterMs: 900 }];
  const since = performance.now();
  await assert.rejects(new Classifier(url).classify(image("cat"), { timeoutMs: 800 }), { reason: "OVERLOADED" });
  assert(performance.now() - since < 800);
});

test("an unreachable server is a retryable error", async () => {
  const failing = new Classifier("http://127.0.0.1:1", { retries: 1 }).classify(image("cat"));
  await assert.rejects(failing, { code: "UNAVAILABLE", reason: "", retryable: true });
});

test("sends tokens and deadlines", async (t) => {
  const { url, script } = await scripted(t);
  const classifier = new Classifier(url, { token: "client's" });
  await classifier.classify(image("cat"), { timeoutMs: 5000 });
  assert.equal(script.headers.get("authorization"), "Bearer client's");
  assert.match(script.headers.get("grpc-timeout"), /^(5000|49\d\d)m$/);
  await classifier.classify(image("cat"), { token: "call's" });
  assert.equal(script.headers.get("authorization"), "Bearer call's");
});

test("a signal cancels the request on the server too", async (t) => {
  const { url, script } = await scripted(t);
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error("enough")), 200);
  const call = new Classifier(url).classify(image("cat"), { model: "slow", signal: stop.signal });
  await assert.rejects(call, { message: "enough" });
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(script.aborted, 1);
});

test("a signal ends the wait before a retry", async (t) => {
  const { url, script } = await scripted(t);
  script.failures = [{ ...OVERLOADED, retryAfterMs: 900 }];
  const since = performance.now();
  const call = new Classifier(url).classify(image("cat"), { signal: AbortSignal.timeout(200) });
  await assert.rejects(call, { name: "TimeoutError" });
  assert(performance.now() - since < 800);
});

test("an expired deadline is an error", async (t) => {
  const { url } = await scripted(t);
  const call = new Classifier(url).classify(image("cat"), { model: "slow", timeoutMs: 200 });
  await assert.rejects(call, { name: "ClassifierError", code: "DEADLINE_EXCEEDED" });
});

test("splits a batch to the server's limits and keeps errors in place", async (t) => {
  const { url, script } = await scripted(t);
  const gone = Object.assign(new Blob(["gone"]), { arrayBuffer: () => Promise.reject(new DOMException("", "NotFoundError")) });
  const images = [
    { id: "a", image: image("one") },
    new Blob(["two"]),
    image(""),
    image("x".repeat(101)),
    gone,
    { id: "f", image: image("six").buffer },
  ];
  const results = await gathered(new Classifier(url).classifyBatch(images));
  assert.deepEqual(results.map(({ index }) => index), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(results.map(({ id }) => id), ["a", "", "", "", "", "f"]);
  assert.deepEqual(results.map(({ answer }) => answer?.label), ["one", "two", undefined, undefined, undefined, "six"]);
  assert.deepEqual([results[2].error.reason, results[2].error.metadata], ["IMAGE_EMPTY", { hint: "yes" }]);
  assert.deepEqual(results[3].error.metadata, { bytes: "101", bytes_max: "100" });
  assert.equal(results[4].error.name, "NotFoundError");
  assert.deepEqual(script.batches, [2, 2]);
});

test("sends only the failed images of a batch again", async (t) => {
  const { url, script } = await scripted(t);
  script.failures = [OVERLOADED];
  const results = await gathered(new Classifier(url).classifyBatch([image("one"), image("two")]));
  assert.deepEqual(results.map(({ answer }) => answer?.label), ["one", "two"]);
  assert.deepEqual(script.seen, ["two", "one", "two"]);
});

test("a batch continues after a server restart and ends at a permanent error", async (t) => {
  const { url, script } = await scripted(t);
  const images = ["one", "two", "three", "four"].map(image);
  script.callFailures = [{ code: Code.Unavailable, reason: "NOT_READY", retryAfterMs: 50 }];
  const results = await gathered(new Classifier(url).classifyBatch(images));
  assert.deepEqual(results.map(({ answer }) => answer?.label), ["one", "two", "three", "four"]);
  assert.deepEqual(script.batches, [2, 2, 1]);

  script.callFailures = [FATAL];
  await assert.rejects(gathered(new Classifier(url).classifyBatch(images)), { reason: "UNAUTHENTICATED" });
});

test("a batch image that keeps failing has its error in place", async (t) => {
  const { url, script } = await scripted(t);
  script.failures = Array(9).fill(OVERLOADED);
  const results = await gathered(new Classifier(url, { retries: 1 }).classifyBatch([image("one")]));
  assert.deepEqual(results.map(({ error }) => error.reason), ["OVERLOADED"]);
});

test("takes images from the iterator only as it sends them", async (t) => {
  const { url } = await scripted(t);
  let taken = 0;
  let ended = false;
  function* endless() {
    try {
      for (;;) {
        taken += 1;
        yield image("cat");
      }
    } finally {
      ended = true;
    }
  }
  for await (const { index } of new Classifier(url).classifyBatch(endless())) if (index === 5) break;
  assert(taken <= 2 * 3 + 2, `${taken} images were taken`); // requests of two, and the first image of the next
  assert(ended);
});

test("rejects input that is not an image with a TypeError", async () => {
  await assert.rejects(new Classifier("http://127.0.0.1:1").classify("cat.jpg"), TypeError);
});

test("accepts the deprecated { id, picture } in a batch", async (t) => {
  const { url } = await scripted(t);
  const [result] = await gathered(new Classifier(url).classifyBatch([{ id: "a", picture: image("cat") }]));
  assert.deepEqual([result.id, result.answer?.label], ["a", "cat"]);
});
