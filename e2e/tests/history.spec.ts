import { expect, expectAnswer, expectNoSidewaysScroll, open, photo, pick, test, violations } from "./classifier";
import { Models, unseen } from "./patterns";

test("the last answers can be returned to without a request; reloading forgets them", async ({ page }) => {
  await open(page);
  const history = page.getByTestId("history");
  await pick(page, photo("coffee.png"));
  await expectAnswer(page, "espresso");
  await expect(history).toHaveCount(0); // the first is shown anyway
  await page.getByRole("button", { name: "Cat", exact: true }).click();
  await expectAnswer(page, "tiger cat");
  await expect(history.getByRole("button")).toHaveText([/^tiger cat 3\d\.\d%$/, /^espresso 95\.\d%$/]);
  await expect(history.getByRole("button").first()).toHaveAttribute("aria-current", "true");

  let requests = 0;
  page.on("request", (request) => (requests += Number(request.url().endsWith("/Classify"))));
  await history.getByRole("button", { name: "espresso" }).click();
  await expectAnswer(page, "espresso");
  await expect(page.getByTestId("preview")).toHaveAccessibleName(/coffee\.png/);
  expect(requests).toBe(0);
  await expect(history.getByRole("button").last()).toHaveAttribute("aria-current", "true");
  expect(await violations(page)).toEqual([]);
  await page.reload();
  await expect(history).toHaveCount(0);
});

test("at most twelve answers are kept", async ({ page }) => {
  await open(page);
  for (let at = 0; at < 14; at += 1) {
    await page.getByRole("button", { name: at % 2 ? "Cat" : "Coffee", exact: true }).click();
    await expectAnswer(page, at % 2 ? "tiger cat" : "espresso");
  }
  await expect(page.getByTestId("history").getByRole("button")).toHaveCount(12);
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`an answer can be compared with that for another image, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width: 360, height: 740 });
    await open(page);
    await pick(page, photo("coffee.png"));
    await expectAnswer(page, "espresso");
    await page.getByRole("button", { name: "Compare" }).click();
    const comparison = page.getByTestId("comparison");
    await expect(comparison.getByRole("article")).toHaveCount(1);
    await expect(comparison).toContainText("Choose another image or another model.");
    await page.getByRole("button", { name: "Cat", exact: true }).click();
    await expectAnswer(page, "tiger cat");
    await expect(comparison.getByTestId("label")).toHaveText(["espresso", "tiger cat"]);
    await expectNoSidewaysScroll(page);
    expect(await violations(page)).toEqual([]);
    await comparison.getByRole("button", { name: "Close" }).click();
    await expect(comparison).toHaveCount(0);
  });
}

test("two models can be compared on one image", async ({ page, serve }) => {
  test.setTimeout(120_000);
  const models = new Models();
  await open(page, await serve("--models", models.path));
  await pick(page, unseen("stripes"));
  await page.getByRole("button", { name: "Compare" }).click();
  await page.getByLabel("Model", { exact: true }).selectOption("patterns");
  const comparison = page.getByTestId("comparison");
  await expect(comparison.getByRole("article")).toHaveCount(2);
  await expect(comparison.getByRole("article").first()).toContainText("efficientnet-lite0");
  await expect(comparison.getByRole("article").last()).toContainText("patterns");
  await expect(comparison.getByTestId("label").last()).toHaveText("stripes");
  models.remove();
});
