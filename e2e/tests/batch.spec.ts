import type { Page } from "@playwright/test";
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { cp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { expect, expectPhase, open, photo, test, violations } from "./classifier";
import { CLI } from "./patterns";
import { expectDone, row, save } from "./table";

/** Classify or ClassifyBatch. */
const CLASSIFY = "**/imageclassifier.ImageClassifier/Classify*";
const run = promisify(execFile);
const EVAL = process.env.IMAGECLASSIFIER_EVAL_DIR;
const GOLDEN = readdirSync(photo("")).filter((name) => /\.(png|jpg)$/.test(name)).sort();
/** As the command line writes it. */
const CSV_HEADER =
  "file,label,confidence,index,model,model_revision,request_id,decode_ms,queue_ms,inference_ms,error,reason,unknown,known_score";

type Line = Record<string, unknown> & { file: string; label?: string; confidence?: number };

test("several picked images are classified in order, and the first is shown", async ({ page }) => {
  await open(page);
  await pickAll(page, GOLDEN.map(photo));
  await expectDone(page, `${GOLDEN.length} of ${GOLDEN.length} images done`);
  expect(await names(page)).toEqual(GOLDEN);
  await expectPhase(page, "answered");
  await expect(page.getByTestId("preview")).toHaveAccessibleName(new RegExp(GOLDEN[0]));

  await row(page, "coffee.png").getByRole("button", { name: "coffee.png", exact: true }).click();
  await expect(page.getByTestId("preview")).toHaveAccessibleName(/coffee\.png/);
  await expect(page.getByRole("region", { name: "Result" }).getByRole("heading").first()).toHaveText("espresso");
  await expect(page.getByRole("status")).toContainText(`${GOLDEN.length} of ${GOLDEN.length} images done. coffee.png: `);
  await expect(row(page, "coffee.png")).toContainText("espresso");
  await expect(row(page, "coffee.png")).toContainText(/95\.\d%/);

  await page.getByRole("button", { name: "Close list" }).click();
  await expect(page.getByTestId("batch")).toHaveCount(0);
  await expectPhase(page, "empty");
});

test("a picked folder is read without the files of file managers", async ({ page }) => {
  const folder = await aFolder();
  await open(page);
  await page.getByTestId("folder").setInputFiles(folder);
  await expectDone(page, "3 of 3 images done, 1 failed");
  const top = basename(folder);
  expect(new Set(await names(page))).toEqual(
    new Set([`${top}/coffee.png`, `${top}/inside/rocket.jpg`, `${top}/notes.txt`]),
  );
  await expect(row(page, `${top}/notes.txt`)).toContainText("notes.txt is not an image this page can read.");
  rmSync(folder, { recursive: true });
});

test("a file and a folder dropped together keep their order, after what failed", async ({ page }) => {
  const folder = await aFolder();
  await open(page);
  await drop(page, [photo("chelsea.png"), folder]);
  await expectDone(page, "4 of 4 images done, 1 failed");
  const top = basename(folder);
  await expect.poll(() => names(page)).toEqual([
    `${top}/notes.txt`,
    "chelsea.png",
    `${top}/coffee.png`,
    `${top}/inside/rocket.jpg`,
  ]);
  await page.getByLabel("Sort").selectOption("as added");
  await expect.poll(() => names(page)).toEqual([
    "chelsea.png",
    `${top}/coffee.png`,
    `${top}/inside/rocket.jpg`,
    `${top}/notes.txt`,
  ]);
  rmSync(folder, { recursive: true });
});

test("a folder without images gets a sentence", async ({ page }) => {
  const folder = mkdtempSync(join(tmpdir(), "empty-"));
  await open(page);
  await drop(page, [folder]);
  await expectPhase(page, "failed");
  await expect(page.getByRole("alert")).toHaveText(/This folder has no images\./);
  rmSync(folder, { recursive: true });
});

test("several pasted images become a batch, and further ones join it", async ({ page }) => {
  await open(page);
  const images = await Promise.all(["coffee.png", "rocket.jpg"].map(async (name) => [name, await readFile(photo(name), "base64")]));
  await page.evaluate((images) => {
    const clipboardData = new DataTransfer();
    for (const [name, base64] of images) {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      clipboardData.items.add(new File([bytes], name, { type: name.endsWith("png") ? "image/png" : "image/jpeg" }));
    }
    document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
  }, images);
  await expectDone(page, "2 of 2 images done");
  await pickAll(page, [photo("chelsea.png")]);
  await expectDone(page, "3 of 3 images done");
  expect(await names(page)).toEqual(["coffee.png", "rocket.jpg", "chelsea.png"]);
});

test("a batch is filtered and sorted", async ({ page }) => {
  await open(page);
  await pickAll(page, [...GOLDEN.map(photo), { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("text") }]);
  await expectDone(page, `${GOLDEN.length + 1} of ${GOLDEN.length + 1} images done, 1 failed`);
  await page.getByTestId("batch").getByRole("button", { name: "Show failed" }).click();
  await expect.poll(() => names(page)).toEqual(["notes.txt"]);
  const show = page.getByTestId("batch").getByLabel("Show");
  await expect(show.locator("option:checked")).toHaveText("failed");
  await page.getByTestId("batch").getByLabel("Show").selectOption("classified");
  await page.getByLabel("Sort").selectOption("highest confidence first");
  await expect.poll(async () => (await names(page)).length).toBe(GOLDEN.length);
  const sure = await confidences(page);
  expect(sure).toEqual([...sure].sort((one, other) => other - one));
  await page.getByLabel("Sort").selectOption("lowest confidence first");
  await expect.poll(() => confidences(page)).toEqual([...sure].reverse());
  await page.getByLabel("Find").fill("ESPRESSO");
  await expect.poll(() => names(page)).toEqual(["coffee.png"]);
  await page.getByLabel("Find").fill("nothing like it");
  await expect(page.getByText("No image matches.")).toBeVisible();
});

test("cancelling rows aborts requests that no row needs, and a retry gets all answers", async ({ page }) => {
  const [shared, sharing] = ["camera.png", "rocket.jpg"]; // small enough for one request
  const files = [shared, sharing, ...GOLDEN.filter((name) => name !== shared && name !== sharing)];
  await open(page);
  const aborted: string[] = [];
  page.on("requestfailed", (request) => aborted.push(request.failure()!.errorText));
  await page.route(CLASSIFY, () => {}); // never answered
  await pickAll(page, files.map(photo));
  const asking = page.locator("[data-state=asking]");
  await expect(asking).toHaveCount(4); // in three requests, in order
  const cancel = async (name: string) => {
    await row(page, name).getByRole("button", { name: `Cancel ${name}` }).click();
    await expect(row(page, name)).toHaveAttribute("data-state", "cancelled");
  };
  await cancel(shared);
  await expect(asking).toHaveCount(3);
  expect(aborted).toEqual([]);
  await cancel(sharing);
  await expect.poll(() => aborted).toEqual(["net::ERR_ABORTED"]);
  await expect(asking).toHaveCount(3); // the next has taken their place

  await page.getByRole("button", { name: "Cancel all" }).click();
  await expectDone(page, `${GOLDEN.length} of ${GOLDEN.length} images done, ${GOLDEN.length} cancelled`);
  await expect.poll(() => aborted.length).toBe(4);
  await expect(page.getByRole("alert")).toBeEmpty(); // the visitor wanted it so
  await expect(page.getByRole("button", { name: "Cancel all" })).toHaveCount(0);

  await page.unroute(CLASSIFY);
  await page.getByRole("button", { name: "Retry failed and cancelled" }).click();
  await expectDone(page, `${GOLDEN.length} of ${GOLDEN.length} images done`);
  expect(await names(page)).toEqual(files);
});

test.describe("without a server for a while", () => {
  test.use({ provoked: /net::ERR_FAILED/ });

  test("a retry sends failed rows only", async ({ page }) => {
    await open(page);
    let requests = 0;
    await page.route(CLASSIFY, (route) => (++requests <= 3 ? route.continue() : route.abort()));
    await pickAll(page, GOLDEN.map(photo)); // the first three are too large to share a request
    const done = `${GOLDEN.length} of ${GOLDEN.length} images done`;
    await expectDone(page, `${done}, ${GOLDEN.length - 3} failed`);
    requests = 0;
    await page.unroute(CLASSIFY);
    await page.route(CLASSIFY, (route) => (++requests, route.continue()));
    const failed = page.locator("[data-state=failed]").first();
    await failed.getByRole("button", { name: /^Try again/ }).click();
    await expectDone(page, `${done}, ${GOLDEN.length - 4} failed`);
    expect(requests).toBe(1);
    await page.getByRole("button", { name: "Retry failed and cancelled" }).click();
    await expectDone(page, done);
    expect(requests).toBeLessThanOrEqual(GOLDEN.length - 3);
  });
});

test("a server that accepts one image per request gets one per request", async ({ page, serve }) => {
  await open(page, await serve("--batch-images-max", "1"));
  const asked = new Set<string>();
  page.on("request", (request) => asked.add(request.url().split("/").pop()!));
  await pickAll(page, GOLDEN.map(photo));
  await expectDone(page, `${GOLDEN.length} of ${GOLDEN.length} images done`);
  expect(asked).toContain("Classify");
  expect(asked).not.toContain("ClassifyBatch");
});

test.describe("an image that is gone by now", () => {
  test.use({ provoked: /net::ERR_(FILE_NOT_FOUND|UPLOAD_FILE_CHANGED)/ });

  test("fails alone, although it shares a request", async ({ page }) => {
    const folder = mkdtempSync(join(tmpdir(), "gone-"));
    const names = ["camera.png", "rocket.jpg"]; // one request
    await Promise.all(names.map((name) => cp(photo(name), join(folder, name))));
    await open(page);
    await page.evaluate(() => {
      const { send } = XMLHttpRequest.prototype;
      const gone = new Promise((resolve) => document.addEventListener("gone", resolve));
      XMLHttpRequest.prototype.send = async function (body) {
        await gone;
        send.call(this, body);
      };
    });
    await pickAll(page, names.map((name) => join(folder, name)));
    await expect(page.locator("[data-state=asking]")).toHaveCount(2);
    rmSync(join(folder, "camera.png"));
    await page.evaluate(() => document.dispatchEvent(new Event("gone")));
    await expectDone(page, "2 of 2 images done, 1 failed");
    await expect(row(page, "camera.png")).toContainText("camera.png could not be read");
    rmSync(folder, { recursive: true });
  });
});

test("a batch gets all answers over a slow link", async ({ page }) => {
  test.setTimeout(60_000);
  await open(page);
  const browser = await page.context().newCDPSession(page);
  await browser.send("Network.enable");
  const network = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: 150_000 };
  await browser.send("Network.emulateNetworkConditions", network);
  const files = GOLDEN.map(photo).filter((file) => statSync(file).size < 300_000);
  await pickAll(page, files); // some 1.6 MB
  await expectDone(page, `${files.length} of ${files.length} images done`, 45_000);
});

test("a batch waits as long as a rate-limiting server asks", async ({ page, serve }) => {
  await open(page, await serve("--rate-limit", "4"));
  await pickAll(page, GOLDEN.map(photo));
  await expectDone(page, `${GOLDEN.length} of ${GOLDEN.length} images done`, 25_000);
});

test("a batch asks for an access token once and goes on", async ({ page, serve }) => {
  await open(page, await serve("--token-file", "tests/access-tokens"));
  await pickAll(page, GOLDEN.slice(0, 6).map(photo));
  await expectDone(page, "6 of 6 images done, 6 failed");
  await page.getByLabel("Access token").fill("secret");
  await page.keyboard.press("Enter");
  await expectDone(page, "6 of 6 images done");
});

test("saved files equal the output of the command line", async ({ page, baseURL }) => {
  const files = [...GOLDEN.map(photo)];
  const torn = { name: "torn, \"twice\".png", mimeType: "image/png", buffer: (await readFile(photo("coffee.png"))).subarray(0, 9000) };
  await open(page);
  await pickAll(page, [...files, torn]);
  await expectDone(page, `${files.length + 1} of ${files.length + 1} images done, 1 failed`);
  const lines: Line[] = (await save(page, "Save JSON")).trimEnd().split("\n").map((line) => JSON.parse(line));
  const rows = parseCsv(await save(page, "Save CSV"));
  const said = execFileSync(CLI, ["classify", "--json", "--server", baseURL!, ...files], { encoding: "utf8" });
  const theirs: Line[] = said.trimEnd().split("\n").map((line) => JSON.parse(line));

  expect(lines.map(({ file }) => file)).toEqual([...GOLDEN, torn.name]);
  for (const [at, their] of theirs.entries()) {
    expect(Object.keys(lines[at])).toEqual(Object.keys(their));
    expect(timeless(lines[at])).toEqual(timeless({ ...their, file: basename(their.file) }));
  }
  expect(lines.at(-1)).toMatchObject({ reason: "IMAGE_UNDECODABLE", error: expect.any(String) });

  expect(rows[0].join()).toBe(CSV_HEADER);
  expect(rows.length).toBe(lines.length + 1);
  for (const [at, line] of lines.entries()) {
    const row = Object.fromEntries(rows[at + 1].map((cell, column) => [rows[0][column], cell]));
    expect(row.file).toBe(line.file);
    expect(row.label).toBe(line.label ?? "");
    expect(row.error).toBe(line.error ?? "");
    expect(row.reason).toBe(line.reason ?? "");
    if (line.label) {
      expect(Number(row.confidence)).toBe(line.confidence);
      expect(Number(row.index)).toBe((line.predictions as { index: number }[])[0].index);
      expect(row.request_id).toBe(line.request_id);
    }
  }
});

test("axe finds nothing to improve in a batch, light and dark, wide and narrow", async ({ page }) => {
  await open(page);
  await pickAll(page, [...GOLDEN.map(photo), { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("text") }]);
  await expectDone(page, `${GOLDEN.length + 1} of ${GOLDEN.length + 1} images done, 1 failed`);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 740 });
      expect(await violations(page)).toEqual([]);
      const [content, window] = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return [scrollWidth, clientWidth];
      });
      expect(content).toBe(window);
    }
  }
});

test("200 images: the command line's answers, only rows in view, bounded memory; the time of both is printed", async ({ page, serve }, info) => {
  test.setTimeout(180_000);
  const server = await serve(); // the tests beside it must not find theirs overloaded
  if (!EVAL) info.annotations.push({ type: "note", description: "IMAGECLASSIFIER_EVAL_DIR is not set: the golden photographs repeated" });
  const files = EVAL
    ? readdirSync(join(EVAL, "images")).sort().map((name) => join(EVAL, "images", name)).slice(0, 200)
    : Array.from({ length: 200 }, (_, at) => photo(GOLDEN[at % GOLDEN.length]));
  await open(page, server);
  await pickAll(page, files.slice(0, 20)); // both warm
  await expectDone(page, "20 of 20 images done");
  await page.getByRole("button", { name: "Close list" }).click();
  const before = await memory(page);

  const title = `${files.length} of ${files.length} images done`;
  const taken = timeUntil(page, title);
  await pickAll(page, files);
  const pageMs = await taken; // and no looking meanwhile, which takes time on the same cores
  await expectDone(page, title);
  const during = await memory(page);
  expect(await page.locator("[role=row]").count()).toBeLessThan(40);

  // Not execFileSync: while the server's log is not read, the server waits.
  await run(CLI, ["classify", "--json", "--server", server, ...files.slice(0, 20)]);
  const cliBegan = performance.now();
  const { stdout: said } = await run(CLI, ["classify", "--json", "--server", server, ...files]);
  const cliMs = performance.now() - cliBegan;

  // Far down the list the rows are others, and the same as the command line's.
  const theirs: Line[] = said.trimEnd().split("\n").map((line) => JSON.parse(line));
  const lines: Line[] = (await save(page, "Save JSON")).trimEnd().split("\n").map((line) => JSON.parse(line));
  expect(lines.map(({ file, label }) => [file, label])).toEqual(theirs.map(({ file, label }) => [basename(file), label]));
  await page.locator(".scroller").evaluate((scroller) => scroller.scrollTo(0, scroller.scrollHeight));
  await expect(row(page, basename(files.at(-1)!)).last()).toContainText(theirs.at(-1)!.label!);
  expect(await page.locator("[role=row]").count()).toBeLessThan(40);

  await page.getByRole("button", { name: "Close list" }).click();
  const after = await memory(page);
  console.log(
    `${files.length} images: page ${(pageMs / 1000).toFixed(2)} s, command line ${(cliMs / 1000).toFixed(2)} s, ` +
      `${(pageMs / cliMs).toFixed(2)} times; JavaScript heap ${before.heap.toFixed(1)} → ${during.heap.toFixed(1)} → ${after.heap.toFixed(1)} MB, ` +
      `WebAssembly ${before.wasm.toFixed(1)} → ${during.wasm.toFixed(1)} → ${after.wasm.toFixed(1)} MB, ` +
      `object URLs ${during.urls} → ${after.urls}`,
  );
  expect(during.heap - before.heap).toBeLessThan(16);
  expect(after.heap - before.heap).toBeLessThan(4);
  expect(during.wasm).toBeLessThan(64);
  expect(during.urls).toBeLessThanOrEqual(2); // the selected image's, and perhaps the saved file's
});

async function pickAll(page: Page, files: (string | { name: string; mimeType: string; buffer: Buffer })[]) {
  // Paths where it can be, as in a browser's own dialog; Playwright takes either paths or bytes.
  const isPaths = files.every((file) => typeof file === "string");
  const given = isPaths ? (files as string[]) : await Promise.all(files.map(bytes));
  await page.getByTestId("file").setInputFiles(given as string[]);
}

async function bytes(file: string | { name: string; mimeType: string; buffer: Buffer }) {
  if (typeof file !== "string") return file;
  const mimeType = file.endsWith("png") ? "image/png" : "image/jpeg";
  return { name: basename(file), mimeType, buffer: await readFile(file) };
}

/** Of the rows that are there, as they are seen. */
async function names(page: Page): Promise<string[]> {
  return page.locator("[role=row][data-state] .name").allTextContents();
}

async function confidences(page: Page): Promise<number[]> {
  const texts = await page.locator("[role=row][data-state] .number:not(.took)").allTextContents();
  return texts.map(parseFloat);
}

/** Without the fields that differ between requests. */
function timeless(line: Line): Line {
  const { request_id, decode_ms, queue_ms, inference_ms, ...rest } = line;
  expect([typeof request_id, typeof decode_ms, typeof queue_ms, typeof inference_ms]).toEqual([
    "string",
    "number",
    "number",
    "number",
  ]);
  return rest as Line;
}

/** RFC 4180. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n)/g)) {
    rows.at(-1)!.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === "\n") rows.push([]);
  }
  return rows.slice(0, -1);
}

async function aFolder(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "holiday-"));
  await cp(photo("coffee.png"), join(folder, "coffee.png"));
  await cp(photo("rocket.jpg"), join(folder, "inside", "rocket.jpg"));
  await cp(new URL(import.meta.url), join(folder, "notes.txt"));
  await cp(photo("coffee.png"), join(folder, ".DS_Store"));
  return folder;
}

/** The browser's own drop of files and folders from outside. */
async function drop(page: Page, files: string[]) {
  const browser = await page.context().newCDPSession(page);
  const data = { items: [], files, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const) {
    await browser.send("Input.dispatchDragEvent", { type, x: 40, y: 40, data });
  }
}

/** Milliseconds from the moment that the page is given files to its list saying `title`: Playwright looks too seldom. */
function timeUntil(page: Page, title: string): Promise<number> {
  return page.evaluate(
    (title) =>
      new Promise<number>((resolve) => {
        let began = 0;
        document.addEventListener("change", () => (began = performance.now()), { capture: true, once: true });
        const observer = new MutationObserver(() => {
          if (!began || document.getElementById("batch-title")?.textContent !== title) return;
          observer.disconnect();
          resolve(performance.now() - began);
        });
        observer.observe(document.body, { subtree: true, childList: true, characterData: true });
      }),
    title,
  );
}

/** Megabytes of JavaScript after tidying up and of WebAssembly, and how many object URLs are held. */
async function memory(page: Page): Promise<{ heap: number; wasm: number; urls: number }> {
  const browser = await page.context().newCDPSession(page);
  await browser.send("HeapProfiler.collectGarbage");
  const { usedSize } = await browser.send("Runtime.getHeapUsage");
  const { wasm, urls } = await page.evaluate(() => {
    const { urls, memory } = (window as unknown as { held: { urls: Set<string>; memory?: WebAssembly.Memory } }).held;
    return { wasm: memory?.buffer.byteLength ?? 0, urls: urls.size };
  });
  return { heap: usedSize / 1e6, wasm: wasm / 1e6, urls };
}

/** Counts what the page holds, before it begins. */
test.beforeEach(({ page }) =>
  page.addInitScript(() => {
    const held = { urls: new Set<string>(), memory: undefined as WebAssembly.Memory | undefined };
    (window as unknown as { held: typeof held }).held = held;
    const { createObjectURL, revokeObjectURL } = URL;
    URL.createObjectURL = (object) => {
      const url = createObjectURL.call(URL, object);
      held.urls.add(url);
      return url;
    };
    URL.revokeObjectURL = (url) => {
      held.urls.delete(url);
      revokeObjectURL.call(URL, url);
    };
    const { instantiateStreaming } = WebAssembly;
    WebAssembly.instantiateStreaming = async (source, imports) => {
      const program = await instantiateStreaming.call(WebAssembly, source, imports);
      held.memory = program.instance.exports.memory as WebAssembly.Memory;
      return program;
    };
  }),
);
