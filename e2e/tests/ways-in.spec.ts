import type { Page } from "@playwright/test";
import { readFile } from "node:fs/promises";
import { expect, expectAnswer, expectFailure, open, photo, test } from "./classifier";

const COFFEE = photo("coffee.png");

test.beforeEach(({ page }) => open(page));

test("a picture dropped anywhere is named", async ({ page }) => {
  await drag(page, "dragEnter");
  await drag(page, "dragOver");
  await expect(page.locator(".stage")).toHaveAttribute("data-hovering", "true");
  await drag(page, "drop");
  await expect(page.locator(".stage")).toHaveAttribute("data-hovering", "false");
  await expectAnswer(page, "espresso");
});

test("a picture dragged away again is left alone", async ({ page }) => {
  await drag(page, "dragEnter");
  await drag(page, "dragOver");
  await expect(page.locator(".stage")).toHaveAttribute("data-hovering", "true");
  await page.locator("main").dispatchEvent("dragleave"); // towards no other element: out of the window
  await expect(page.locator(".stage")).toHaveAttribute("data-hovering", "false");
  await expect(page.locator(".stage")).toHaveAttribute("data-phase", "empty");
});

test("a picture picked with the button is named", async ({ page }) => {
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Choose a picture" }).click();
  await (await chooser).setFiles(COFFEE);
  await expectAnswer(page, "espresso");
  await expect(page.getByRole("status")).toHaveText(/^coffee\.png: espresso, 95\.\d%\.$/);
  await expect(page.getByTestId("preview")).toHaveAccessibleName("Your picture, coffee.png");
});

test("a picture pasted is named", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const picture = new Blob([bytes], { type: "image/png" });
    await navigator.clipboard.write([new ClipboardItem({ [picture.type]: picture })]);
  }, await readFile(COFFEE, "base64"));
  await page.keyboard.press("Control+V");
  await expectAnswer(page, "espresso");
});

test("a text pasted is refused", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.evaluate(() => navigator.clipboard.writeText("espresso"));
  await page.keyboard.press("Control+V");
  await expectFailure(page, "What you pasted holds no picture. Copy a picture, then paste again.");
});

for (const [sample, label] of [
  ["Coffee", "espresso"],
  ["Cat", "tiger cat"],
  ["Rocket", "missile"],
  ["Pasture", "ram"],
]) {
  test(`the sample ${sample} is named`, async ({ page }) => {
    await page.getByRole("button", { name: sample }).click();
    await expectAnswer(page, label);
  });
}

/** The browser's own drag of a file from outside. */
async function drag(page: Page, type: "dragEnter" | "dragOver" | "drop") {
  const browser = await page.context().newCDPSession(page);
  const data = { items: [], files: [COFFEE], dragOperationsMask: 1 };
  await browser.send("Input.dispatchDragEvent", { type, x: 40, y: 40, data });
}
