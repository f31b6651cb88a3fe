import type { Page } from "@playwright/test";
import { expect, expectAnswer, expectFailure, open, photo, pick, test, violations } from "./classifier";

test("everything can be done from the keyboard", async ({ page }) => {
  await open(page);
  await tabTo(page, "Choose a picture");
  const chooser = page.waitForEvent("filechooser");
  await page.keyboard.press("Enter");
  await (await chooser).setFiles(photo("coffee.png"));
  await expectAnswer(page, "espresso");

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

    await pick(page, photo("astronaut.png"));
    await expect(page.getByTestId("unsure")).toBeVisible();
    expect(await violations(page)).toEqual([]);

    await pick(page, { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no picture") });
    await expectFailure(page, "notes.txt");
    expect(await violations(page)).toEqual([]);
  });
}

async function tabTo(page: Page, button: string) {
  const wanted = page.getByRole("button", { name: button });
  for (let presses = 0; presses < 10; presses += 1) {
    await page.keyboard.press("Tab");
    if (await wanted.evaluate((element) => element === document.activeElement)) return;
  }
  await expect(wanted).toBeFocused();
}
