import { readdirSync } from "node:fs";
import { join } from "node:path";
import { open, test } from "./classifier";

// What a batch should do, measured without the page around it: MEASURE=1 npx playwright test in-flight
// Files are posted as blobs. Bytes that a script posts cannot be measured here: Playwright has the browser tell it each request
// with them, which costs several times what the request does.
const EVAL = process.env.IMAGECLASSIFIER_EVAL_DIR;
test.skip(!process.env.MEASURE || !EVAL, "MEASURE=1 and IMAGECLASSIFIER_EVAL_DIR are not set");

test("single requests in flight against batches", async ({ page }) => {
  test.setTimeout(300_000);
  await open(page);
  await page.evaluate(() => {
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = true;
    input.id = "measured";
    document.body.append(input);
  });
  const files = readdirSync(join(EVAL!, "images")).sort().slice(0, 200).map((name) => join(EVAL!, "images", name));
  await page.locator("#measured").setInputFiles(files);
  const measured = await page.evaluate(async () => {
    const files = [...(document.getElementById("measured") as HTMLInputElement).files!];
    const varint = (number: number) => {
      const bytes: number[] = [];
      for (; number > 127; number >>>= 7) bytes.push((number & 127) | 128);
      return [...bytes, number];
    };
    const request = (image: File) => new Blob([new Uint8Array([10, ...varint(image.size)]), image, new Uint8Array([16, 20, 32, 1])]);
    const frame = (message: Blob) => {
      const head = new DataView(new ArrayBuffer(5));
      head.setUint32(1, message.size);
      return new Blob([head.buffer, message]);
    };
    const call = async (method: string, message: Blob) => {
      const response = await fetch(`/imageclassifier.ImageClassifier/${method}`, {
        method: "POST",
        headers: { "content-type": "application/grpc-web+proto" },
        body: frame(message),
      });
      return (await response.arrayBuffer()).byteLength;
    };
    const single = (file: File) => call("Classify", request(file));
    const batch = (files: File[]) => {
      const requests = files.map(request);
      return call("ClassifyBatch", new Blob(requests.flatMap((one) => [new Uint8Array([10, ...varint(one.size)]), one])));
    };
    const chunks = (size: number) => Array.from({ length: Math.ceil(files.length / size) }, (_, at) => files.slice(at * size, (at + 1) * size));
    const pool = async <T>(jobs: T[], work: (job: T) => Promise<number>, inFlight: number) => {
      const began = performance.now();
      const rest = [...jobs];
      let least = Infinity;
      await Promise.all(
        Array.from({ length: inFlight }, async () => {
          for (let job = rest.shift(); job; job = rest.shift()) least = Math.min(least, await work(job));
        }),
      );
      if (least < 30) throw new Error("an answer was an error");
      return performance.now() - began;
    };
    const ways: [string, () => Promise<number>][] = [
      ...[1, 2, 3, 4, 6, 8].map((inFlight): [string, () => Promise<number>] => [`${inFlight} single`, () => pool(files, single, inFlight)]),
      ...[[6, 1], [6, 2], [6, 3], [6, 4], [16, 1], [16, 2], [16, 3]].map(([size, inFlight]): [string, () => Promise<number>] => [
        `${inFlight} of ${size}`,
        () => pool(chunks(size), batch, inFlight),
      ]),
    ];
    await pool(files, single, 4);
    const times: Record<string, number[]> = {};
    for (let round = 0; round < 2; round++) for (const [name, run] of ways) (times[name] ??= []).push(Math.round(await run()));
    return times;
  });
  for (const [name, times] of Object.entries(measured)) console.log(name.padEnd(10), times.join(" "), "ms");
});
