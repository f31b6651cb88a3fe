import type { Page } from "@playwright/test";
import { readFile } from "node:fs/promises";
import { expect, expectAnswer, expectFailure, expectNoSidewaysScroll, expectPhase, open, photo, pick, show, test, violations } from "./classifier";
import { expectDone } from "./table";

// The main paths once more, in Debian's Firefox.

const COFFEE = photo("coffee.png");

test.beforeEach(({ page }) => open(page));

test("an image picked with the button is classified", async ({ page }) => {
  await expect(page.getByRole("button", { name: "Choose an image" })).toBeVisible();
  await pick(page, COFFEE);
  await expectAnswer(page, "espresso");
  await expect(page.getByRole("status")).toHaveText(/^coffee\.png: espresso, 95\.\d%\.$/);
  await expectNoSidewaysScroll(page);
});

test("a dropped image is classified", async ({ page }) => {
  await drop(page, await readFile(COFFEE, "base64"));
  await expectAnswer(page, "espresso");
});

test("a pasted image is classified", async ({ page }) => {
  // As text: the clipboard of a Firefox without a screen holds no images. It may be written to while a key is handled.
  await page.evaluate((copied) => {
    document.addEventListener("keydown", () => navigator.clipboard.writeText(copied), { once: true });
  }, `data:image/png;base64,${await readFile(COFFEE, "base64")}`);
  await page.keyboard.press("F8");
  await page.keyboard.press("Control+V");
  await expectAnswer(page, "espresso");
});

test("a sample is classified by keyboard alone", async ({ page }) => {
  await page.getByRole("button", { name: "Cat", exact: true }).focus();
  await page.keyboard.press("Enter");
  await expectAnswer(page, "tiger cat");
});

test("the heatmap shows where the evidence is", async ({ page }) => {
  await pick(page, COFFEE);
  await expectAnswer(page, "espresso");
  await show(page, "Heatmap");
  await expect(page.getByRole("slider", { name: "Overlay opacity" })).toBeVisible();
  await show(page, "Model input");
  await show(page, "Original");
  await expect(page.getByTestId("preview")).toBeVisible();
});

test("several images become a list, and its rows lead to answers", async ({ page }) => {
  await page.getByTestId("file").setInputFiles(["coffee.png", "rocket.jpg", "chelsea.png"].map(photo));
  await expectDone(page, "3 of 3 images done");
  await page.locator("[role=row][data-state]").nth(1).getByRole("button", { name: "rocket.jpg", exact: true }).click();
  await expect(page.getByRole("region", { name: "Result" }).getByRole("heading").first()).toHaveText("missile");
});

test("a file that is no image gets a sentence, and the next image an answer", async ({ page }) => {
  await pick(page, { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("text") });
  await expectFailure(page, "notes.txt is not an image this page can read.");
  await pick(page, COFFEE);
  await expectAnswer(page, "espresso");
});

test("a request is cancelled", async ({ page }) => {
  await page.route("**/imageclassifier.ImageClassifier/Classify", () => {}); // never answered
  await pick(page, COFFEE);
  await expectPhase(page, "asking");
  await page.getByRole("button", { name: "Cancel" }).click();
  await expectPhase(page, "cancelled");
});

test("the language is chosen from the menu", async ({ page }) => {
  await page.getByLabel("Language").selectOption("Русский");
  await expect(page.locator("html")).toHaveAttribute("lang", "ru");
});

test("axe finds nothing to improve in an answer, light and dark", async ({ page }) => {
  await pick(page, COFFEE);
  await expectAnswer(page, "espresso");
  for (const theme of ["light", "dark"]) {
    await page.getByLabel("Theme").selectOption(theme);
    expect(await violations(page)).toEqual([]);
  }
});

/** As Firefox dispatches it for an image from outside. */
async function drop(page: Page, image: string) {
  await page.evaluate((image) => {
    const bytes = Uint8Array.from(atob(image), (character) => character.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], "coffee.png", { type: "image/png" }));
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
  }, image);
}
