import { expect, expectFailure, expectPhase, open, photo, pick, test } from "./classifier";

test.use({ serviceWorkers: "allow", provoked: /ERR_INTERNET_DISCONNECTED/ });

test("the page opens without a network, and says that the server does not answer", async ({ page, context }) => {
  await open(page);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await context.setOffline(true);
  await page.reload();
  await expectPhase(page, "empty");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("What does your image show?");
  const sample = page.getByRole("button", { name: "Cat", exact: true }).locator("img");
  await expect.poll(() => sample.evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBeGreaterThan(0);
  await pick(page, photo("coffee.png"));
  await expectFailure(page, "The server does not answer. Check that it is running, then try again.");
  await context.setOffline(false);
  await page.getByRole("button", { name: "Try again" }).click();
  await expectPhase(page, "answered");
});

test("what is kept is the page's files, under one version", async ({ page }) => {
  await open(page);
  await page.evaluate(() => navigator.serviceWorker.ready);
  await page.reload();
  await pick(page, photo("coffee.png"));
  await expectPhase(page, "answered");
  const kept = await page.evaluate(async () => {
    const names = await caches.keys();
    const cache = await caches.open(names[0]);
    return { names, paths: (await cache.keys()).map(({ url }) => new URL(url).pathname) };
  });
  expect(kept.names).toEqual([expect.stringMatching(/^page-[0-9a-f]{16}$/)]);
  expect(kept.paths).toContain("/");
  expect(kept.paths.filter((path) => path.endsWith(".wasm"))).toHaveLength(1);
  expect(kept.paths.filter((path) => path.includes("ImageClassifier"))).toEqual([]);
});

test("the page can be installed", async ({ page }) => {
  await open(page);
  const browser = await page.context().newCDPSession(page);
  const { url, errors } = await browser.send("Page.getAppManifest");
  expect(url).toMatch(/manifest\.webmanifest$/);
  expect(errors).toEqual([]);
  const { installabilityErrors } = await browser.send("Page.getInstallabilityErrors");
  // Playwright's pages are incognito, where nothing can be installed.
  expect(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== "in-incognito")).toEqual([]);
});
