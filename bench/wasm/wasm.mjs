// Compares our kernels, compiled for simd128, with onnxruntime-web (wasm, 1 thread). They run in turn in one Node.js process.
//
// usage: node wasm.mjs [--json]

import fs from "node:fs";
import os from "node:os";
import * as ort from "onnxruntime-web";

const SECONDS = 30;
const RUNS_PER_TURN = 3;
const LOGITS_TOLERANCE = 1e-3;
const PHOTOGRAPH = "coffee";

const root = new URL("../../", import.meta.url);
const built = new URL("target/bench/", root);

/** Reads a safetensors file. Returns a function from a tensor's name to its values. */
function tensors(file) {
  const bytes = fs.readFileSync(file);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.subarray(8, start));
  const values = ([from, to]) => new Float32Array(bytes.buffer.slice(bytes.byteOffset + start + from, bytes.byteOffset + start + to));
  return (name) => values(header[name].data_offsets);
}

async function ours() {
  const module = new URL("cargo/wasm32-unknown-unknown/release/bench_wasm.wasm", built);
  const { instance } = await WebAssembly.instantiate(fs.readFileSync(module));
  const { memory, bytes_new, engine_new, engine_image, engine_run } = instance.exports;
  const weights = fs.readFileSync(new URL("model/weights/efficientnet_lite0.safetensors", root));
  const file = bytes_new(weights.length);
  new Uint8Array(memory.buffer, file, weights.length).set(weights);
  const engine = engine_new(file, weights.length);
  return async (image) => {
    new Float32Array(memory.buffer, engine_image(engine), image.length).set(image);
    const logits = engine_run(engine);
    return new Float32Array(memory.buffer, logits, 1000);
  };
}

async function onnxruntimeWeb() {
  ort.env.wasm.numThreads = 1;
  const model = fs.readFileSync(new URL("efficientnet_lite0.onnx", built));
  const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
  return async (image) => {
    const images = new ort.Tensor("float32", image, [1, 3, 224, 224]);
    return (await session.run({ images })).logits.data;
  };
}

async function timeMs(run, image) {
  const startedAt = performance.now();
  await run(image);
  return performance.now() - startedAt;
}

const quantile = (values, share) => values.toSorted((a, b) => a - b)[Math.floor(values.length * share)];

const golden = tensors(new URL("model/tests/golden/golden.safetensors", root));
const image = golden(`${PHOTOGRAPH}.lite0.input`);
const expected = golden(`${PHOTOGRAPH}.lite0.logits`);
const engines = { "onnxruntime-web": await onnxruntimeWeb(), "ours, simd128": await ours() };
const differences = {};
for (const [name, run] of Object.entries(engines)) {
  const logits = await run(image);
  differences[name] = Math.max(...expected.map((value, i) => Math.abs(value - logits[i])));
  if (!(differences[name] < LOGITS_TOLERANCE)) throw new Error(`${name}: logits differ by ${differences[name]}`);
}

const times = Object.fromEntries(Object.keys(engines).map((name) => [name, []]));
// The first runs do not count, because WebAssembly is still being compiled.
for (const run of Object.values(engines)) for (let i = 0; i < 20; i++) await timeMs(run, image);
for (const end = performance.now() + SECONDS * 1000; performance.now() < end; ) {
  for (const [name, run] of Object.entries(engines)) {
    await timeMs(run, image);
    for (let i = 0; i < RUNS_PER_TURN; i++) times[name].push(await timeMs(run, image));
  }
}

const base = times["onnxruntime-web"];
const measured = Object.fromEntries(
  Object.entries(times).map(([name, ofEngine]) => [
    name,
    {
      median_ms: quantile(ofEngine, 0.5),
      p10_ms: quantile(ofEngine, 0.1),
      runs: ofEngine.length,
      logits_differ: differences[name],
      median_ratio: quantile(ofEngine, 0.5) / quantile(base, 0.5),
      p10_ratio: quantile(ofEngine, 0.1) / quantile(base, 0.1),
    },
  ]),
);
const version = JSON.parse(fs.readFileSync(new URL("node_modules/onnxruntime-web/package.json", import.meta.url))).version;
const result = {
  machine: { cpu: os.cpus()[0].model, cores: os.cpus().length },
  versions: { node: process.version, "onnxruntime-web": version },
  engines: measured,
};
if (process.argv.includes("--json")) {
  console.log(JSON.stringify(result, null, 1));
} else {
  console.log("| 1 thread | median, ms | p10, ms | ratio of medians | ratio of p10 | runs |");
  console.log("| --- | --- | --- | --- | --- | --- |");
  for (const [name, m] of Object.entries(measured)) {
    const cells = [m.median_ms.toFixed(2), m.p10_ms.toFixed(2), m.median_ratio.toFixed(3), m.p10_ratio.toFixed(3), m.runs];
    console.log(`| ${name} | ${cells.join(" | ")} |`);
  }
}
