import type { Page } from "@playwright/test";
import { expect, expectAnswer, expectFailure, expectNoSidewaysScroll, open, photo, pick, show, test } from "./classifier";

test("a phone 360 pixels wide has nothing to scroll sideways", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await open(page);
  await expectNoSidewaysScroll(page);
  await pick(page, photo("coffee.png"));
  await expectAnswer(page, "espresso");
  await expectNoSidewaysScroll(page);
  await show(page, "Model input");
  await expectNoSidewaysScroll(page);
  await show(page, "Heatmap");
  await page.getByRole("button", { name: "Synonyms" }).click();
  await page.getByTestId("details").locator("summary").click();
  await expect(page.getByTestId("heat")).toBeVisible();
  await expectNoSidewaysScroll(page);
  await page.getByRole("button", { name: "Use via API" }).click();
  await expect(page.getByRole("dialog")).toBeVisible();
  await expectNoSidewaysScroll(page);
  await page.keyboard.press("Escape");
  await page.getByLabel("Language").selectOption("Русский");
  await expectNoSidewaysScroll(page);
  await page.getByLabel("Язык").selectOption("English");
  const name = `${"a_very_long_name_".repeat(8)}.txt`;
  await pick(page, { name, mimeType: "text/plain", buffer: Buffer.from("no image") });
  await expectFailure(page, name);
  await expectNoSidewaysScroll(page);
});

test("a dark desktop gets a dark page", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await open(page);
  const day = await brightness(page);
  await page.emulateMedia({ colorScheme: "dark" });
  const night = await brightness(page);
  expect(day.ground).toBeGreaterThan(200);
  expect(day.text).toBeLessThan(80);
  expect(night.ground).toBeLessThan(60);
  expect(night.text).toBeGreaterThan(180);
});

/** How bright the page's ground and its title are, 0 to 255. */
async function brightness(page: Page): Promise<{ ground: number; text: number }> {
  return page.evaluate(() => {
    const brush = document.createElement("canvas").getContext("2d", { willReadFrequently: true })!;
    const brightnessOf = (colour: string) => {
      brush.fillStyle = colour;
      brush.fillRect(0, 0, 1, 1);
      const [red, green, blue] = brush.getImageData(0, 0, 1, 1).data;
      return (red + green + blue) / 3;
    };
    return {
      ground: brightnessOf(getComputedStyle(document.body).backgroundColor),
      text: brightnessOf(getComputedStyle(document.querySelector("h1")!).color),
    };
  });
}
