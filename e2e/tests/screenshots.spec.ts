import type { Page } from "@playwright/test";
import { readFileSync, readdirSync } from "node:fs";
import { type Serve, expect, expectAnswer, expectFailure, expectPhase, open, photo, pick, test } from "./classifier";
import { blackPng } from "./images";
import { Models, unseen } from "./patterns";
import { expectDone } from "./table";

// Images for people to look at: npm run screenshots writes them into docs/screenshots/
const folder = process.env.SCREENSHOTS;

const PHOTOS = readdirSync(photo("")).filter((name) => /\.(png|jpg)$/.test(name)).sort();

const LOOKS = [
  { name: "light", colorScheme: "light", width: 1280, height: 900 },
  { name: "dark", colorScheme: "dark", width: 1280, height: 900 },
  { name: "phone", colorScheme: "light", width: 360, height: 740 },
] as const;

const STATES: Record<string, (page: Page, serve: Serve) => Promise<void>> = {
  empty: async () => {},
  hovering: async (page) => {
    const dataTransfer = await page.evaluateHandle(() => {
      const dragged = new DataTransfer();
      dragged.items.add(new File([], "coffee.png"));
      return dragged;
    });
    await page.locator("main").dispatchEvent("dragover", { dataTransfer });
  },
  asking: async (page) => {
    await page.route("**/Classify", () => {}); // never answered
    await pick(page, photo("coffee.png"));
    await expectPhase(page, "asking");
  },
  answered: async (page) => {
    await pick(page, photo("coffee.png"));
    await expectAnswer(page, "espresso");
  },
  unsure: async (page) => {
    await pick(page, photo("astronaut.png"));
    await expectPhase(page, "answered");
  },
  seen: async (page) => {
    await pick(page, photo("coffee.png"));
    await expectAnswer(page, "espresso");
    await page.getByRole("button", { name: "What the network saw" }).click();
  },
  why: async (page) => {
    await page.getByRole("button", { name: "Cat" }).click();
    await expectAnswer(page, "tiger cat");
    await page.getByRole("button", { name: "Why?" }).click();
    await page.getByRole("button", { name: "Synonyms" }).click();
    await page.getByText("tabby cat", { exact: true }).waitFor();
    await page.getByTestId("details").locator("summary").click();
  },
  programs: async (page) => {
    await page.getByRole("button", { name: "Use via API" }).click();
    await page.getByRole("dialog").waitFor();
  },
  shared: async (page) => {
    await page.goto("/#answer=1&model=efficientnet-lite0&revision=1a2b3c&tiger%20cat=0.5612&tabby=0.2418&lynx=0.0311");
    await page.reload();
    await expectPhase(page, "shared");
  },
  russian: async (page) => {
    await pick(page, photo("coffee.png"));
    await expectAnswer(page, "espresso");
    await page.getByRole("button", { name: "Русский" }).click();
    await page.getByRole("button", { name: "Почему?" }).click();
  },
  failed: async (page) => {
    await page.route("**/Classify", (route) => route.abort());
    await pick(page, photo("coffee.png"));
    await expectFailure(page, "The server does not answer.");
  },
  "too-large": async (page) => {
    await page.getByLabel("Shrink large images before sending").uncheck();
    await pick(page, { name: "poster.png", mimeType: "image/png", buffer: blackPng(6000, 5000) });
    await page.getByRole("button", { name: "Shrink and retry" }).waitFor();
  },
  "batch-asking": async (page) => {
    await page.route("**/Classify*", () => {}); // never answered
    await pickAll(page, PHOTOS);
    await expect(page.locator("[role=row][data-state=asking]").first()).toBeVisible();
  },
  batch: async (page) => {
    await pickAll(page, [...PHOTOS, "../make_golden.py"]);
    await expect(page.getByTestId("batch").getByRole("heading")).toHaveText(/ images done, 1 failed$/);
    await page.waitForTimeout(3000); // answers come before thumbnails
  },
  unknown: async (page, serve) => {
    await choosePatterns(page, serve);
    await pick(page, photo("coffee.png"));
    await page.getByTestId("unsure").waitFor();
    await page.getByTestId("details").locator("summary").click();
  },
  "batch-unknown": async (page, serve) => {
    await choosePatterns(page, serve);
    const coffee = { name: "coffee.png", mimeType: "image/png", buffer: readFileSync(photo("coffee.png")) };
    await page.getByTestId("file").setInputFiles([unseen("stripes"), unseen("squares"), coffee]);
    await expectDone(page, "3 of 3 images done, 1 unknown");
    await page.waitForTimeout(3000); // answers come before thumbnails
  },
  token: async (page, serve) => {
    await open(page, await serve("--token-file", "tests/access-tokens"));
    await pick(page, photo("coffee.png"));
    await expectFailure(page, "This server requires an access token.");
  },
};

/** States that are also shown dark and on a phone. */
const OFTEN = ["empty", "answered", "why", "failed", "batch", "unknown", "batch-unknown"];

async function choosePatterns(page: Page, serve: Serve) {
  await open(page, await serve("--models", models.path));
  await page.getByLabel("Model", { exact: true }).selectOption("patterns");
}

async function pickAll(page: Page, names: string[]) {
  await page.getByTestId("file").setInputFiles(names.map(photo));
}

test.skip(!folder, "SCREENSHOTS names no folder");
test.use({ provoked: /net::ERR_FAILED/ });

let models: Models;

test.beforeAll(() => {
  test.setTimeout(120_000);
  models = new Models();
});

test.afterAll(() => models.remove());

for (const { name, colorScheme, width, height } of LOOKS) {
  test(`screenshots, ${name}`, async ({ page, serve }) => {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height });
    test.setTimeout(120_000);
    for (const [state, reach] of Object.entries(STATES)) {
      if (name !== "light" && !OFTEN.includes(state)) continue;
      await page.goto("about:blank"); // a URL that differs only in its fragment does not reload the page
      await open(page);
      await reach(page, serve);
      const path = `${folder}/${state}-${name}.jpg`; // a quarter of a PNG's bytes: most of it is photographs
      await page.screenshot({ path, type: "jpeg", quality: 85, fullPage: true, animations: "disabled" });
      await page.unrouteAll({ behavior: "ignoreErrors" });
      if (state !== "token") await page.evaluate(() => localStorage.clear());
    }
  });
}
