// What a server that fails on purpose teaches: errors, retries, bounds.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { Classifier, ClassifierError } from "../dist/index.js";
import { EMPTY, OVERLOADED, scripted } from "./scripted.js";

const picture = (text) => new TextEncoder().encode(text);
const FATAL = { code: Code.Unauthenticated, reason: "UNAUTHENTICATED" };

async function gathered(results) {
  const all = [];
  for await (const result of results) all.push(result);
  return all.sort((a, b) => a.index - b.index);
}

test("an error says what and why", async (t) => {
  const { url } = await scripted(t);
  await assert.rejects(new Classifier(url).classify(picture("")), (error) => {
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

test("a call is sent again at the hint", async (t) => {
  const { url, script } = await scripted(t);
  script.failures = [OVERLOADED, OVERLOADED];
  const since = performance.now();
  const { label } = await new Classifier(url).classify(picture("cat"));
  assert.equal(label, "cat");
  assert.deepEqual(script.seen, ["cat", "cat", "cat"]);
  assert(performance.now() - since >= 400);
});

test("a call is given up after so many retries", async (t) => {
  const { url, script } = await scripted(t);
  script.failures = Array(9).fill(OVERLOADED);
  const failing = new Classifier(url, { retries: 1 }).classify(picture("cat"));
  await assert.rejects(failing, { reason: "OVERLOADED", retryAfterMs: 200, retryable: true });
  assert.equal(script.seen.length, 2);
});

test("no wait is longer than the deadline", async (t) => {
  const { url, script } = await scripted(t);
  script.failures = [{ ...OVERLOADED, retryAfterMs: 900 }];
  const since = performance.now();
  await assert.rejects(new Classifier(url).classify(picture("cat"), { timeoutMs: 800 }), { reason: "OVERLOADED" });
  assert(performance.now() - since < 800);
});

test("no server is worth another try", async () => {
  const failing = new Classifier("http://127.0.0.1:1", { retries: 1 }).classify(picture("cat"));
  await assert.rejects(failing, { code: "UNAVAILABLE", reason: "", retryable: true });
});

test("tokens and deadlines are sent", async (t) => {
  const { url, script } = await scripted(t);
  const classifier = new Classifier(url, { token: "client's" });
  await classifier.classify(picture("cat"), { timeoutMs: 5000 });
  assert.equal(script.headers.get("authorization"), "Bearer client's");
  assert.match(script.headers.get("grpc-timeout"), /^(5000|49\d\d)m$/);
  await classifier.classify(picture("cat"), { token: "call's" });
  assert.equal(script.headers.get("authorization"), "Bearer call's");
});

test("a signal ends the call, on the server too", async (t) => {
  const { url, script } = await scripted(t);
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error("enough")), 200);
  const call = new Classifier(url).classify(picture("cat"), { model: "slow", signal: stop.signal });
  await assert.rejects(call, { message: "enough" });
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(script.aborted, 1);
});

test("a signal ends the wait for a retry", async (t) => {
  const { url, script } = await scripted(t);
  script.failures = [{ ...OVERLOADED, retryAfterMs: 900 }];
  const since = performance.now();
  const call = new Classifier(url).classify(picture("cat"), { signal: AbortSignal.timeout(200) });
  await assert.rejects(call, { name: "TimeoutError" });
  assert(performance.now() - since < 800);
});

test("a deadline passes", async (t) => {
  const { url } = await scripted(t);
  const call = new Classifier(url).classify(picture("cat"), { model: "slow", timeoutMs: 200 });
  await assert.rejects(call, { name: "ClassifierError", code: "DEADLINE_EXCEEDED" });
});

test("a batch is cut to the server's limits, errors stay in place", async (t) => {
  const { url, script } = await scripted(t);
  const gone = Object.assign(new Blob(["gone"]), { arrayBuffer: () => Promise.reject(new DOMException("", "NotFoundError")) });
  const pictures = [
    { id: "a", picture: picture("one") },
    new Blob(["two"]),
    picture(""),
    picture("x".repeat(101)),
    gone,
    { id: "f", picture: picture("six").buffer },
  ];
  const results = await gathered(new Classifier(url).classifyBatch(pictures));
  assert.deepEqual(results.map(({ index }) => index), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(results.map(({ id }) => id), ["a", "", "", "", "", "f"]);
  assert.deepEqual(results.map(({ answer }) => answer?.label), ["one", "two", undefined, undefined, undefined, "six"]);
  assert.deepEqual([results[2].error.reason, results[2].error.metadata], ["IMAGE_EMPTY", { hint: "yes" }]);
  assert.deepEqual(results[3].error.metadata, { bytes: "101", bytes_max: "100" });
  assert.equal(results[4].error.name, "NotFoundError");
  assert.deepEqual(script.batches, [2, 2]);
});

test("only what failed of a batch is sent again", async (t) => {
  const { url, script } = await scripted(t);
  script.failures = [OVERLOADED];
  const results = await gathered(new Classifier(url).classifyBatch([picture("one"), picture("two")]));
  assert.deepEqual(results.map(({ answer }) => answer?.label), ["one", "two"]);
  assert.deepEqual(script.seen, ["two", "one", "two"]);
});

test("a batch goes on after a server that stops, and ends at what does not pass", async (t) => {
  const { url, script } = await scripted(t);
  const pictures = ["one", "two", "three", "four"].map(picture);
  script.callFailures = [{ code: Code.Unavailable, reason: "NOT_READY", retryAfterMs: 50 }];
  const results = await gathered(new Classifier(url).classifyBatch(pictures));
  assert.deepEqual(results.map(({ answer }) => answer?.label), ["one", "two", "three", "four"]);
  assert.deepEqual(script.batches, [2, 2, 1]);

  script.callFailures = [FATAL];
  await assert.rejects(gathered(new Classifier(url).classifyBatch(pictures)), { reason: "UNAUTHENTICATED" });
});

test("a batch that keeps failing says so in place", async (t) => {
  const { url, script } = await scripted(t);
  script.failures = Array(9).fill(OVERLOADED);
  const results = await gathered(new Classifier(url, { retries: 1 }).classifyBatch([picture("one")]));
  assert.deepEqual(results.map(({ error }) => error.reason), ["OVERLOADED"]);
});

test("pictures are asked for no sooner than they are sent", async (t) => {
  const { url } = await scripted(t);
  let taken = 0;
  let ended = false;
  function* endless() {
    try {
      for (;;) {
        taken += 1;
        yield picture("cat");
      }
    } finally {
      ended = true;
    }
  }
  for await (const { index } of new Classifier(url).classifyBatch(endless())) if (index === 5) break;
  assert(taken <= 2 * 3 + 2, `${taken} pictures were taken`); // calls of two, and the first of the next
  assert(ended);
});

test("what is no picture is a TypeError", async () => {
  await assert.rejects(new Classifier("http://127.0.0.1:1").classify("cat.jpg"), TypeError);
});
