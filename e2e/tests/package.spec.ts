import type { Page } from "@playwright/test";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import type * as clients from "../../clients/js/dist/index.js";
import { ALLOWED_ORIGIN, OTHER_ORIGIN, SERVER } from "./addresses";
import { expect, photo, test } from "./classifier";

declare const imageclassifier: typeof clients;

const PACKAGE = new URL("../../clients/js/", import.meta.url);

/** The package as an application's bundler makes it; needs `npm ci && npm run build` there. */
const bundle: string = createRequire(PACKAGE)("esbuild").buildSync({
  entryPoints: [fileURLToPath(new URL("dist/index.js", PACKAGE))],
  bundle: true,
  format: "iife",
  globalName: "imageclassifier",
  write: false,
}).outputFiles[0].text;

test("the package classifies a file", async ({ page }) => {
  await pageOf(page, ALLOWED_ORIGIN, photo("coffee.png"));
  const answer = await page.evaluate((server) => {
    const file = document.querySelector<HTMLInputElement>("#image")!.files![0];
    return new imageclassifier.Classifier(server).classify(file, { topK: 3 });
  }, SERVER);
  expect(answer.label).toBe("espresso");
  expect(answer.confidence).toBeGreaterThan(0.9);
  expect(answer.predictions).toHaveLength(3);
});

test("the package reads why an image is rejected", async ({ page }) => {
  await pageOf(page, ALLOWED_ORIGIN);
  const error = await page.evaluate(async (server) => {
    const rejected = new imageclassifier.Classifier(server).classify(new Blob());
    const { name, code, reason, retryable, requestId } = await rejected.catch((error) => error);
    return { name, code, reason, retryable, hasRequestId: requestId !== "" };
  }, SERVER);
  expect(error).toEqual({
    name: "ClassifierError",
    code: "INVALID_ARGUMENT",
    reason: "IMAGE_EMPTY",
    retryable: false,
    hasRequestId: true,
  });
});

test("the package classifies many images in one request, errors in place", async ({ page }) => {
  await pageOf(page, ALLOWED_ORIGIN, photo("coffee.png"));
  const paths: string[] = [];
  page.on("request", (request) => request.method() === "POST" && paths.push(new URL(request.url()).pathname));
  const results = await page.evaluate(async (server) => {
    const file = document.querySelector<HTMLInputElement>("#image")!.files![0];
    const images = [{ id: "кофе", image: file }, new Blob(["no image"]), file];
    const results = [];
    for await (const { index, id, answer, error } of new imageclassifier.Classifier(server).classifyBatch(images)) {
      results[index] = [id, answer?.label, (error as clients.ClassifierError | undefined)?.reason];
    }
    return results;
  }, SERVER);
  expect(results).toEqual([
    ["кофе", "espresso", undefined],
    ["", undefined, "IMAGE_FORMAT_UNKNOWN"],
    ["", "espresso", undefined],
  ]);
  expect(paths.filter((path) => path.endsWith("/ClassifyBatch"))).toHaveLength(1);
});

test("the package stops at a signal", async ({ page }) => {
  await pageOf(page, ALLOWED_ORIGIN);
  const name = await page.evaluate((server) => {
    const stopped = new imageclassifier.Classifier(server).classify(new Blob(["x"]), { signal: AbortSignal.abort() });
    return stopped.catch((error) => error.name);
  }, SERVER);
  expect(name).toBe("AbortError");
});

test.describe("on an origin that is not allowed", () => {
  test.use({ provoked: /blocked by CORS policy|net::ERR_FAILED/ });

  test("the package says that it reaches no server", async ({ page }) => {
    await pageOf(page, OTHER_ORIGIN);
    const error = await page.evaluate(async (server) => {
      const call = new imageclassifier.Classifier(server, { retries: 0 }).classify(new Blob(["x"]));
      const { code, message } = await call.catch((error) => error);
      return { code, message };
    }, SERVER);
    expect(error).toEqual({ code: "UNAVAILABLE", message: expect.stringContaining("cannot be reached") });
  });
});

async function pageOf(page: Page, origin: string, file?: string) {
  await page.goto(origin);
  await page.addScriptTag({ content: bundle });
  if (file === undefined) return;
  // The page has a client of its own, which also asks when a file is picked: let it be done.
  await page.getByLabel("Server").fill(SERVER);
  await page.getByLabel("Image").setInputFiles(file);
  await expect(page.getByRole("status")).toHaveText(/^espresso/);
}
