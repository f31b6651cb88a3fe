import { expect, expectAnswer, expectFailure, expectPhase, open, photo, pick, test, violations } from "./classifier";

test("a link shows another browser the result without the image", async ({ page, context, browser, baseURL }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page);
  await pick(page, photo("coffee.png"));
  await expectAnswer(page, "espresso");
  await page.getByRole("button", { name: "Copy link" }).click();
  await expect(page.getByRole("status")).toHaveText("Copied");
  const link = await page.evaluate(() => navigator.clipboard.readText());
  expect(link).toMatch(/#answer=1&model=efficientnet-lite0&revision=[^&]+(&[^&=]+=[01]\.\d{4}){5}$/);
  expect(link).not.toContain("coffee.png");

  const other = await browser.newPage({ baseURL });
  const asked: string[] = [];
  other.on("request", (request) => asked.push(request.url()));
  await other.goto(link);
  await expectPhase(other, "shared");
  const answer = other.getByRole("region", { name: "Result" });
  await expect(answer.getByTestId("label")).toHaveText("espresso");
  await expect(answer.getByRole("meter")).toHaveCount(5);
  await expect(answer.getByTestId("shared")).toBeVisible();
  await expect(answer.getByTestId("model")).toContainText("efficientnet-lite0, revision ");
  await expect(other.getByRole("status")).toHaveText(/^Shared result: espresso, 95\.\d%\.$/);
  await expect(answer.getByRole("button")).toHaveCount(0); // to be read, no more
  expect(asked.filter((url) => url.includes("#answer") || url.endsWith("/Classify"))).toEqual([]);
  expect(await violations(other)).toEqual([]);

  await answer.getByRole("link", { name: "Try an image of your own" }).click();
  await expectPhase(other, "empty");
  await other.goBack();
  await expectPhase(other, "shared");
  await other.getByRole("button", { name: "Cat", exact: true }).click();
  await expectAnswer(other, "tiger cat");
  expect(new URL(other.url()).hash).toBe("");
  await other.close();
});

for (const fragment of ["cup", "answer=1&model=m&revision=r&cup=7", "answer=9&model=m&revision=r&cup=0.5", "%"]) {
  test(`the damaged link #${fragment} gets a sentence`, async ({ page }) => {
    await page.goto(`/#${fragment}`);
    await expectFailure(page, "This link to a result is damaged. Ask for it again, or choose an image of your own.");
    await pick(page, photo("coffee.png"));
    await expectAnswer(page, "espresso");
  });
}

test("the content of a link is shown as text", async ({ page }) => {
  const label = "<img src=x onerror=alert(1)>";
  await page.goto(`/#answer=1&model=m&revision=r&${encodeURIComponent(label)}=0.5`);
  await expectPhase(page, "shared");
  await expect(page.getByTestId("label")).toHaveText(label);
});

test("without a clipboard the link can be copied by hand", async ({ page }) => {
  await page.addInitScript(() => {
    navigator.clipboard.writeText = () => Promise.reject(new Error("not allowed"));
  });
  await open(page);
  await pick(page, photo("coffee.png"));
  await expectAnswer(page, "espresso");
  await page.getByRole("button", { name: "Copy link" }).click();
  const field = page.getByLabel("Copy this by hand");
  await expect(field).toBeFocused();
  await expect(field).toHaveValue(/#answer=1&/);
});
