// Several servers: requests take turns, survive the loss of one, and retries stay within a budget.
import assert from "node:assert/strict";
import http from "node:http";
import http2 from "node:http2";
import { test } from "node:test";
import { Code } from "@connectrpc/connect";
import { AddressTransport } from "../dist/addresses.js";
import { Attempts } from "../dist/attempts.js";
import { Bucket } from "../dist/budget.js";
import { Classifier, ClassifierError } from "../dist/index.js";
import { grpcTransport } from "../dist/node.js";
import { backoffMs, Turns } from "../dist/turns.js";
import { serve } from "./own_server.js";
import { OVERLOADED, scripted } from "./scripted.js";

const cat = new TextEncoder().encode("cat");
const NOT_READY = { code: Code.Unavailable, reason: "NOT_READY", retryAfterMs: 1 };
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Two servers that answer with their names; delays make requests overlap. */
async function two(t, createServer, delayMs = 0) {
  return [await scripted(t, createServer, { name: "a", delayMs }), await scripted(t, createServer, { name: "b", delayMs })];
}

/** Two servers at the two addresses of one name. */
async function twoAddresses(t, delayMs = 0) {
  const a = await scripted(t, http2.createServer, { name: "a", delayMs });
  const b = await scripted(t, http2.createServer, { name: "b", delayMs, host: "127.0.0.2", port: a.port });
  const addresses = ["127.0.0.1", "127.0.0.2"].map((address) => ({ address, family: 4 }));
  const server = `http://servers.test:${a.port}`;
  return { a, b, server, addresses, transport: new AddressTransport(server, async () => addresses) };
}

function add(counts, label) {
  counts[label] = (counts[label] ?? 0) + 1;
}

/** Answers of eight concurrent users by server; any error is thrown. */
async function load(classifier, ms, users = 8) {
  const counts = {};
  const end = performance.now() + ms;
  const user = async () => {
    while (performance.now() < end) add(counts, (await classifier.classify(cat)).label);
  };
  await Promise.all(Array.from({ length: users }, user));
  return counts;
}

const kinds = {
  "gRPC-Web": (servers) => new Classifier(servers.map(({ url }) => url)),
  gRPC: (servers) => new Classifier([], { transport: grpcTransport(servers.map(({ url }) => url)) }),
};

for (const [kind, classifierOf] of Object.entries(kinds)) {
  const createServer = kind === "gRPC" ? http2.createServer : http.createServer;

  test(`${kind}: servers of a list take turns`, async (t) => {
    const classifier = classifierOf(await two(t, createServer));
    const counts = {};
    for (let i = 0; i < 20; i++) add(counts, (await classifier.classify(cat)).label);
    assert.deepEqual(counts, { a: 10, b: 10 });
  });

  test(`${kind}: a server that dies costs no request and comes back`, async (t) => {
    const [a, b] = await two(t, createServer, 5);
    const classifier = classifierOf([a, b]);
    setTimeout(a.stop, 300);
    const during = await load(classifier, 800);
    assert(during.a > 0 && during.b > 0, JSON.stringify(during));
    assert.deepEqual(Object.keys(await load(classifier, 300)), ["b"]);
    await scripted(t, createServer, { name: "a", port: a.port });
    const after = await load(classifier, 6500, 1); // it is set aside for 5 seconds at most, and a quarter of that
    assert(after.a > 0, JSON.stringify(after));
  });

  test(`${kind}: a batch moves to another server`, async (t) => {
    const [, b] = await two(t, createServer);
    const classifier = classifierOf([{ url: "http://127.0.0.1:1" }, b]);
    for (let i = 0; i < 4; i++) {
      for await (const { answer, error } of classifier.classifyBatch([cat, cat, cat])) assert.equal(answer?.label, "b", error);
    }
  });
}

test("gRPC: the addresses of a name take turns, and the loss of one costs no request", async (t) => {
  const { a, b, server, transport } = await twoAddresses(t, 5);
  const classifier = new Classifier(server, { transport });
  const counts = {};
  for (let i = 0; i < 20; i++) add(counts, (await classifier.classify(cat)).label);
  assert.deepEqual(counts, { a: 10, b: 10 });
  assert.equal(b.script.authority, `servers.test:${a.port}`);
  setTimeout(a.stop, 300);
  const during = await load(classifier, 800);
  assert(during.a > 0 && during.b > 0, JSON.stringify(during));
  assert.deepEqual(Object.keys(await load(classifier, 300)), ["b"]);
});

test("gRPC: new addresses of a name are found once one has failed", async (t) => {
  const { a, server, addresses, transport } = await twoAddresses(t);
  const [, later] = addresses.splice(0, 2, addresses[0]);
  const classifier = new Classifier(server, { transport, retries: 9 });
  assert.equal((await classifier.classify(cat)).label, "a");
  addresses.splice(0, 1, later);
  await sleep(1100);
  a.stop();
  assert.equal((await classifier.classify(cat)).label, "b");
});

test("gRPC: connections that end cost no request", async (t) => {
  const servers = await two(t, http2.createServer, 2);
  const ending = setInterval(() => servers.forEach(({ endConnections }) => endConnections()), 50);
  t.after(() => clearInterval(ending));
  const counts = await load(kinds.gRPC(servers), 2000);
  assert(Math.min(counts.a, counts.b) > (counts.a + counts.b) / 4, JSON.stringify(counts));
});

test("connections of the real server that end cost no request", async (t) => {
  const url = await serve((stop) => t.after(stop), "--connection-age-max", "0.3");
  for (const options of [{}, { transport: grpcTransport(url) }]) {
    const classifier = new Classifier(url, options);
    const end = performance.now() + 2000;
    const user = async () => {
      while (performance.now() < end) assert((await classifier.models()).length > 0);
    };
    await Promise.all(Array.from({ length: 8 }, user));
  }
});

async function attemptsInAnOutage(t, retryBudget) {
  const { url, script } = await scripted(t);
  script.failures = Array(9999).fill(NOT_READY);
  const classifier = new Classifier(url, { retryBudget, retries: 3 });
  for (let i = 0; i < 4; i++) {
    const failing = Array.from({ length: 10 }, () => classifier.classify(cat));
    for (const { reason } of await Promise.allSettled(failing)) assert.equal(reason.code, "UNAVAILABLE");
  }
  return script.seen.length;
}

test("the budget stops retries in an outage", async (t) => {
  const attempts = await attemptsInAnOutage(t, { maxTokens: 20 });
  assert(attempts > 40 && attempts <= 40 + 10, `${attempts} attempts`);
});

test("without a budget every request is retried", async (t) => {
  assert.equal(await attemptsInAnOutage(t, false), 40 * 4);
});

test("the budget is that of A6", () => {
  const bucket = new Bucket({ maxTokens: 10, tokenRatio: 0.5 });
  for (let i = 0; i < 4; i++) bucket.failed();
  assert(bucket.allowsRetries); // 6 of 10
  bucket.failed();
  assert(!bucket.allowsRetries); // half
  bucket.succeeded();
  assert(bucket.allowsRetries);
  for (let i = 0; i < 100; i++) bucket.failed(); // never below 0
  for (let i = 0; i < 11; i++, bucket.succeeded()) assert(!bucket.allowsRetries);
  assert(bucket.allowsRetries);
});

test("an infinite budget always allows retries", () => {
  const bucket = new Bucket({ maxTokens: Infinity });
  bucket.failed();
  assert(bucket.allowsRetries);
  bucket.succeeded();
  assert(bucket.allowsRetries);
});

test("images that a batch rejects cost nothing", async (t) => {
  const { url, script } = await scripted(t);
  script.failures = Array(4).fill(OVERLOADED);
  const classifier = new Classifier(url, { retryBudget: { maxTokens: 2 } });
  for await (const { answer } of classifier.classifyBatch([cat, cat])) assert.equal(answer?.label, "cat");
});

test("servers that fail are set aside", async () => {
  const turns = new Turns(["a", "b", "c"]);
  const bad = turns.next();
  turns.unavailable(bad);
  const six = () => Array.from({ length: 6 }, () => turns.next()).filter((turn) => turn === bad).length;
  assert.equal(six(), 0);
  await sleep(130);
  assert.equal(six(), 1); // one request tries it
  turns.answered(bad);
  assert.equal(six(), 2);
});

test("clients begin with different servers, also if these are not known yet", () => {
  const firsts = Array.from({ length: 200 }, () => {
    const turns = new Turns([]);
    turns.replace(["a", "b", "c"]);
    return turns.next().server;
  });
  assert.deepEqual([...new Set(firsts)].sort(), ["a", "b", "c"]);
});

test("what no server has begun to process is sent again without retries or tokens", async () => {
  const bucket = new Bucket({ maxTokens: 1 });
  bucket.failed();
  const limit = { retries: 0, timeoutMs: 1000, signal: undefined, hintedOnly: false };
  const attempts = new Attempts({ turns: new Turns(["a"]), bucket }, limit);
  const cause = new Error("Stream closed with error code NGHTTP2_REFUSED_STREAM");
  const error = new ClassifierError("ended", { code: "UNAVAILABLE", cause });
  for (let i = 0; i < 5; i++) {
    attempts.server();
    attempts.failed(error);
    assert.equal(attempts.delayMs(error), 0);
    await attempts.wait(0);
  }
  attempts.server();
  attempts.failed(error);
  assert.equal(attempts.delayMs(error), undefined);
});

test("without retries a request moves to another server", () => {
  const limit = { retries: 0, timeoutMs: 1000, signal: undefined, hintedOnly: false };
  const attempts = new Attempts({ turns: new Turns(["a", "b"]), bucket: undefined }, limit);
  const error = new ClassifierError("stopping", { code: "UNAVAILABLE" });
  const first = attempts.server();
  attempts.failed(error);
  assert.equal(attempts.delayMs(error), 0);
  attempts.wait(0);
  assert.notEqual(attempts.server(), first);
  attempts.failed(error);
  assert.equal(attempts.delayMs(error), undefined);
});

test("waits grow and are never shorter than the hint", () => {
  for (const [failures, hint, least] of [[0, undefined, 100], [3, undefined, 800], [40, undefined, 5000], [0, 700, 700], [4, 700, 1600], [0, 1e15, 86_400_000]]) {
    const wait = backoffMs(failures, hint);
    assert(least <= wait && wait <= least * 1.25, `${wait} ${least}`);
  }
});

test("rejects invalid budgets and empty lists", () => {
  for (const retryBudget of [{ maxTokens: 0 }, { maxTokens: NaN }, { tokenRatio: -1 }]) {
    assert.throws(() => new Classifier("http://127.0.0.1:1", { retryBudget }), RangeError);
  }
  assert.throws(() => new Classifier([]), RangeError);
});
