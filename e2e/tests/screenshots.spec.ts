import type { Page } from "@playwright/test";
import { mkdtempSync, readFileSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Serve, expect, expectAnswer, expectFailure, expectPhase, open, photo, pick, show, test } from "./classifier";
import { blackPng } from "./images";
import { Models, unseen } from "./patterns";
import { expectDone } from "./table";

// Images for people to look at: npm run screenshots writes them into docs/screenshots/
const folder = process.env.SCREENSHOTS;

const PHOTOS = readdirSync(photo("")).filter((name) => /\.(png|jpg)$/.test(name)).sort();

const LOOKS = [
  { name: "light", use: { colorScheme: "light", viewport: { width: 1280, height: 720 } } },
  { name: "dark", use: { colorScheme: "dark", viewport: { width: 1280, height: 720 } } },
  { name: "phone", use: { colorScheme: "light", viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true } },
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
  "model-input": async (page) => {
    await pick(page, photo("coffee.png"));
    await expectAnswer(page, "espresso");
    await show(page, "Model input");
  },
  heatmap: async (page) => {
    await page.getByRole("button", { name: "Cat", exact: true }).click();
    await expectAnswer(page, "tiger cat");
    await show(page, "Heatmap");
    await expect(page.getByTestId("heat")).toBeVisible();
  },
  details: async (page) => {
    await page.getByRole("button", { name: "Cat", exact: true }).click();
    await expectAnswer(page, "tiger cat");
    await page.getByRole("button", { name: "Synonyms" }).click();
    await page.getByText("tabby cat", { exact: true }).waitFor();
    await page.getByTestId("details").locator("summary").click();
  },
  comparison: async (page) => {
    await pick(page, photo("coffee.png"));
    await expectAnswer(page, "espresso");
    await page.getByRole("button", { name: "Compare" }).click();
    await page.getByRole("button", { name: "Cat", exact: true }).click();
    await expectAnswer(page, "tiger cat");
  },
  correction: async (page, serve) => {
    const folder = mkdtempSync(join(tmpdir(), "feedback-"));
    await open(page, await serve("--feedback-dir", folder));
    await pick(page, photo("rocket.jpg"));
    await expectAnswer(page, "missile");
    await page.getByText("Wrong?", { exact: true }).click();
    await page.getByLabel("Correct class").fill("space rocket");
  },
  api: async (page) => {
    await page.getByRole("button", { name: "Use via API" }).click();
    await page.getByRole("radio", { name: "Python" }).check();
    await expect(page.locator("code")).toContainText("import Client");
  },
  shared: async (page) => {
    await page.goto("/#answer=1&model=efficientnet-lite0&revision=1a2b3c&tiger%20cat=0.5612&tabby=0.2418&lynx=0.0311");
    await page.reload();
    await expectPhase(page, "shared");
  },
  russian: async (page) => {
    await pick(page, photo("coffee.png"));
    await expectAnswer(page, "espresso");
    await page.getByLabel("Language").selectOption("Русский");
    await page.getByRole("radio", { name: "Теплокарта" }).check();
  },
  failed: async (page) => {
    await page.route("**/Classify", (route) => route.abort());
    await pick(page, photo("coffee.png"));
    await expectFailure(page, "The server does not answer.");
  },
  cancelled: async (page) => {
    await page.route("**/Classify", () => {}); // never answered
    await pick(page, photo("coffee.png"));
    await page.getByTestId("progress").getByRole("button", { name: "Cancel" }).click();
    await expectPhase(page, "cancelled");
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
const OFTEN = ["empty", "asking", "answered", "unsure", "heatmap", "comparison", "api", "failed", "cancelled", "shared", "batch", "unknown", "batch-unknown"];

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

for (const { name, use } of LOOKS) {
  test.describe(name, () => {
    test.use(use);

    test("screenshots", async ({ page, serve }) => {
      test.setTimeout(300_000);
      for (const [state, reach] of Object.entries(STATES)) {
        if (name !== "light" && !OFTEN.includes(state)) continue;
        await page.goto("about:blank"); // a URL that differs only in its fragment does not reload the page
        await open(page);
        await reach(page, serve);
        await page.mouse.move(0, 0); // a button looks different under the pointer
        const path = `${folder}/${state}-${name}.jpg`; // a quarter of a PNG's bytes: most of it is photographs
        // A phone's first screen: for a whole page Playwright would turn the touch screen off.
        await page.screenshot({ path, type: "jpeg", quality: 85, fullPage: name !== "phone", animations: "disabled" });
        await page.unrouteAll({ behavior: "ignoreErrors" });
        if (state !== "token") await page.evaluate(() => (localStorage.clear(), sessionStorage.clear()));
      }
    });
  });
}
