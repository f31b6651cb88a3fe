import { expect, expectAnswer, open, photo, pick, test } from "./classifier";

test.beforeEach(async ({ page }) => {
  await open(page);
  await pick(page, photo("coffee.png"));
  await expectAnswer(page, "espresso");
});

test("more classes are shown without a new request, also for the next image", async ({ page }) => {
  let requests = 0;
  page.on("request", (request) => (requests += Number(request.url().endsWith("/Classify"))));
  const meters = page.getByRole("meter");
  for (const top of [10, 20, 5, 10]) {
    await page.getByLabel("Classes shown").selectOption(String(top));
    await expect(meters).toHaveCount(top);
  }
  expect(requests).toBe(0);
  await page.getByRole("button", { name: "Cat", exact: true }).click();
  await expect(page.getByTestId("label")).toHaveText("tiger cat");
  await expect(meters).toHaveCount(10);
  expect(requests).toBe(1);
});

test("the synonyms of a class are shown on request", async ({ page }) => {
  await page.getByRole("button", { name: "Cat", exact: true }).click();
  await expectAnswer(page, "tiger cat");
  await expect(page.getByTestId("names")).toHaveCount(0);
  const fetched = page.waitForResponse("**/imagenet1k_labels.txt");
  await page.getByRole("button", { name: "Synonyms" }).click();
  expect((await fetched).ok()).toBe(true);
  const tabby = page.getByRole("listitem").filter({ has: page.getByRole("meter", { name: "tabby" }) });
  await expect(tabby.getByTestId("names")).toHaveText("tabby cat");
  await page.getByRole("button", { name: "Synonyms" }).click();
  await expect(page.getByTestId("names")).toHaveCount(0);
});

test("the details name the model and the request", async ({ page }) => {
  const details = page.getByTestId("details");
  await expect(details.getByRole("definition").first()).toBeHidden();
  await details.getByText("Details").click();
  const values = await details.getByRole("definition").allTextContents();
  expect(values[0]).toBe("efficientnet-lite0");
  expect(values[1]).toMatch(/^\S{4,}$/); // revision
  expect(values[2]).toMatch(/^[0-9a-f]{64}$/); // weights
  expect(values[3]).toMatch(/^\S+$/); // preprocessing
  expect(values[4]).toMatch(/^\S{8,}$/); // request
});

test("the stages add up to the total time", async ({ page }) => {
  await page.getByTestId("details").locator("summary").click();
  const time = (await page.getByTestId("timings").textContent())!;
  const [, all, stages] = time.match(/^([\d.]+) ms in total: (.*)$/)!;
  expect(stages.replaceAll(/ [\d.]+ ms/g, "")).toBe("upload, queue, decoding, inference");
  const sum = stages.match(/[\d.]+/g)!.map(Number).reduce((one, other) => one + other);
  expect(Math.abs(sum - Number(all))).toBeLessThan(2.5); // each is rounded
});
