import type { Page } from "@playwright/test";
import { expect, expectAnswer, expectFailure, open, photo, pick, show, test, violations } from "./classifier";

test("everything can be done from the keyboard", async ({ page }) => {
  const chooser = page.waitForEvent("filechooser"); // the browser takes a while to hand its dialogs over
  await open(page);
  await tabTo(page, "Choose an image");
  await page.keyboard.press("Enter");
  await (await chooser).setFiles(photo("coffee.png"));
  await expectAnswer(page, "espresso");

  await tabTo(page, "Original", "radio");
  await page.keyboard.press("ArrowRight");
  await expect(page.getByTestId("seen")).toBeVisible();
  await page.keyboard.press("ArrowRight");
  await expect(page.getByTestId("heat")).toContainText("espresso");
  await tabTo(page, "espresso");
  await page.keyboard.press("Tab");
  await expect(page.getByTestId("heat")).not.toContainText("espresso");
  const faded = page.getByRole("slider", { name: "Overlay opacity" });
  const before = Number(await faded.inputValue());
  await faded.focus();
  await page.keyboard.press("ArrowRight");
  expect(Number(await faded.inputValue())).toBeGreaterThan(before);
  await tabTo(page, "Compare");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(page.getByTestId("details").getByRole("definition").first()).toBeVisible();

  await tabTo(page, "Cat");
  await page.keyboard.press("Enter");
  await expectAnswer(page, "tiger cat");

  await tabTo(page, "Rocket");
  await page.keyboard.press("Space");
  await expectAnswer(page, "missile");
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing to improve, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme });
    await open(page);
    expect(await violations(page)).toEqual([]);

    await pick(page, photo("coffee.png"));
    await expectAnswer(page, "espresso");
    expect(await violations(page)).toEqual([]);

    await page.getByRole("button", { name: "Synonyms" }).click();
    await page.getByTestId("details").locator("summary").click();
    await show(page, "Model input");
    await expect(page.getByTestId("seen")).toBeVisible();
    expect(await violations(page)).toEqual([]);
    await show(page, "Heatmap");
    await expect(page.getByTestId("heat")).toBeVisible();
    expect(await violations(page)).toEqual([]);
    await show(page, "Original");
    await page.mouse.move(0, 0); // a button looks different under the pointer
    expect(await violations(page)).toEqual([]);

    await pick(page, photo("astronaut.png"));
    await expect(page.getByTestId("unsure")).toBeVisible();
    expect(await violations(page)).toEqual([]);

    await pick(page, { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no image") });
    await expectFailure(page, "notes.txt");
    expect(await violations(page)).toEqual([]);
  });
}

async function tabTo(page: Page, name: string, role: "button" | "radio" = "button") {
  const wanted = page.getByRole(role, { name });
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press("Tab");
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
  }
  await expect(wanted).toBeFocused();
}
