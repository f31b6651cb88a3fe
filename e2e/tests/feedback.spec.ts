import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, expectAnswer, open, photo, pick, test, violations } from "./classifier";

test("a server that keeps no images is not offered any", async ({ page }) => {
  await open(page);
  await pick(page, photo("coffee.png"));
  await expectAnswer(page, "espresso");
  await expect(page.getByText("Wrong?")).toHaveCount(0);
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`a wrong answer is corrected, and the server keeps the image, ${colorScheme}`, async ({ page, serve }) => {
    const folder = mkdtempSync(join(tmpdir(), "feedback-"));
    await page.emulateMedia({ colorScheme });
    await open(page, await serve("--feedback-dir", folder));
    await expect(page.getByTestId("privacy")).toHaveText(/It keeps only those that you correct with “Wrong\?”\.$/);
    await pick(page, photo("coffee.png"));
    await expectAnswer(page, "espresso");
    await page.getByText("Wrong?", { exact: true }).click();
    const field = page.getByLabel("Correct class");
    await expect(field).toHaveAccessibleDescription("The server keeps this image and the class, so that a model can learn from them.");
    await expect(page.locator("#classes option")).toHaveCount(1000);
    expect(await violations(page)).toEqual([]);
    await field.fill("flat white");
    await page.keyboard.press("Enter");
    await expect(page.getByTestId("correction")).toHaveText("The server keeps it as “flat white”. Thank you.");
    expect(readdirSync(join(folder, "flat white"))).toHaveLength(1);
    expect(await violations(page)).toEqual([]);

    await page.getByRole("button", { name: "Cat", exact: true }).click();
    await expectAnswer(page, "tiger cat");
    await expect(page.getByTestId("correction")).toBeEmpty();
    rmSync(folder, { recursive: true });
  });
}
