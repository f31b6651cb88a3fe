// node checks.js SERVER COFFEE: what each implementation can do against the server, as lines of JSON.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { create } from "@bufbuild/protobuf";
import { anyIs, anyUnpack } from "@bufbuild/protobuf/wkt";
import { drivers } from "./drivers.js";
import { ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.js";
import { Health, HealthCheckRequestSchema } from "./gen/grpc/health/v1/health_pb.js";
import { ServerReflection, ServerReflectionRequestSchema } from "./gen/grpc/reflection/v1/reflection_pb.js";
import { ClassifyBatchRequestSchema, ClassifyImageRequestSchema, ImageClassifier } from "./gen/image_classifier_pb.js";

const [server, coffeeFile] = process.argv.slice(2);
const coffee = readFileSync(coffeeFile);
const { classify, classifyBatch, classifyStream } = ImageClassifier.method;
const IMAGE_BYTES_MAX = 10 << 20;
const NO_BIDI = "needs a stream in both directions, which the library refuses: browsers cannot send one";

const request = (fields) => create(ClassifyImageRequestSchema, { imageData: coffee, ...fields });
const padded = (bytes) => Buffer.concat([coffee, Buffer.alloc(bytes - coffee.length)]);

/** Each throws if it does not hold, and gives a note if it does not apply. */
const CHECKS = {
  async unary(driver) {
    const { message } = await driver.unary(classify, request({ topK: 3 }));
    assert.equal(message.label, "espresso");
    assert.equal(message.predictions.length, 3);
  },
  async "server stream"(driver) {
    const batch = create(ClassifyBatchRequestSchema, {
      requests: [request({ id: "a" }), request({ id: "b", imageData: new Uint8Array() }), request({ id: "c" })],
    });
    const outcomes = {};
    for await (const { id, outcome } of driver.stream(classifyBatch, batch)) outcomes[id] = outcome.case;
    assert.deepEqual(outcomes, { a: "response", b: "error", c: "response" });
  },
  async bidi(driver) {
    if (!driver.bidi) return NO_BIDI;
    let answered = () => {};
    async function* requests() {
      for (let i = 0; i < 5; i++) {
        const answer = new Promise((resolve) => (answered = resolve));
        yield request({ id: `${i}` });
        await answer; // each waits for the one before: only if both directions flow at once
      }
    }
    const ids = [];
    for await (const { id, outcome } of driver.bidi(classifyStream, requests())) {
      assert.equal(outcome.case, "response");
      ids.push(id);
      answered();
    }
    assert.deepEqual(ids, ["0", "1", "2", "3", "4"]);
  },
  async "error details"(driver) {
    const { code, details } = await failure(driver, request({ imageData: new Uint8Array() }));
    assert.equal(code, 3);
    assert.equal(info(details).reason, "IMAGE_EMPTY");
  },
  async "UTF-8"(driver) {
    const { code, message, details } = await failure(driver, request({ model: "кот 🐈 100 %" }));
    assert.equal(code, 5);
    assert(message.includes("кот 🐈 100 %"), `the message is ${message}`);
    assert.equal(info(details).metadata.model, "кот 🐈 100 %");
  },
  async deadline(driver) {
    const { code, details } = await failure(driver, request({ imageData: padded(IMAGE_BYTES_MAX) }), { timeoutMs: 3 });
    // The library's own clock, or the server's; which also refuses at once what it cannot do in time.
    if (code !== 4) assert.equal(info(details).reason, "OVERLOADED");
    await driver.unary(classify, request(), { timeoutMs: 20_000 });
  },
  async cancellation(driver) {
    await driver.unary(classify, request()); // connected by then
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 3);
    const since = performance.now();
    await assert.rejects(driver.unary(classify, request({ imageData: padded(IMAGE_BYTES_MAX) }), { signal: stop.signal }));
    assert(performance.now() - since < 5000, "it went on"); // text is base64 of 10 MiB before anything is sent
    await driver.unary(classify, request());
  },
  async "large message"(driver) {
    const { message } = await driver.unary(classify, request({ imageData: padded(IMAGE_BYTES_MAX) }));
    assert.equal(message.label, "espresso");
    const { details } = await failure(driver, request({ imageData: padded(IMAGE_BYTES_MAX + 1) }));
    assert.equal(info(details).reason, "IMAGE_TOO_LARGE");
  },
  async metadata(driver) {
    const { message, headers } = await driver.unary(classify, request(), { headers: { "x-from": "conformance" } });
    assert(message.requestId);
    assert.equal(headers.get("x-request-id"), message.requestId);
  },
  async compression(driver) {
    if (!driver.compressed) return "the library compresses nothing in gRPC-Web";
    const { message } = await driver.compressed.unary(classify, request());
    assert.equal(message.label, "espresso");
  },
  async health(driver) {
    const { message } = await driver.unary(Health.method.check, create(HealthCheckRequestSchema));
    assert.equal(message.status, 1);
  },
  async reflection(driver) {
    if (!driver.bidi) return NO_BIDI;
    async function* requests() {
      yield create(ServerReflectionRequestSchema, { messageRequest: { case: "listServices", value: "" } });
    }
    const services = [];
    for await (const { messageResponse } of driver.bidi(ServerReflection.method.serverReflectionInfo, requests()))
      services.push(...messageResponse.value.service.map(({ name }) => name));
    assert(services.includes(ImageClassifier.typeName), services.join());
  },
};

async function failure(driver, request, options) {
  try {
    await driver.unary(classify, request, options);
  } catch (error) {
    return driver.failure(error);
  }
  assert.fail("it did not fail");
}

function info(status) {
  assert(status, "there are no details");
  const packed = status.details.find((detail) => anyIs(detail, ErrorInfoSchema));
  assert(packed, "there is no ErrorInfo");
  return anyUnpack(packed, ErrorInfoSchema);
}

for (const which of drivers(server).keys()) {
  const cells = {};
  for (const [name, check] of Object.entries(CHECKS)) {
    const driver = drivers(server)[which]; // with a connection of its own
    try {
      const note = await Promise.race([
        check(driver),
        new Promise((_, reject) => setTimeout(() => reject(new Error("no answer in 60 s")), 60_000).unref()),
      ]);
      cells[name] = note === undefined ? { state: "yes" } : { state: "none", note };
    } catch (error) {
      cells[name] = { state: "no", note: error.message.split("\n")[0] };
    }
  }
  const { name, version, protocol, note } = drivers(server)[which];
  console.log(JSON.stringify({ name, version, protocol, note, cells }));
}
process.exit(); // connections would stay open for a while
