import { readFile } from "node:fs/promises";
import { expect, expectAnswer, expectFailure, expectPhase, open, photo, pick, test } from "./classifier";

const CLASSIFY = "**/imageclassifier.ImageClassifier/Classify";

test.beforeEach(({ page }) => open(page));

const rejected: [name: string, mimeType: string, bytes: () => Promise<Buffer> | Buffer, sentence: string][] = [
  [
    "notes.txt",
    "text/plain",
    () => Buffer.from("Not an image."),
    "notes.txt is not an image this page can read. Choose a JPEG, PNG, WebP or GIF.",
  ],
  [
    "noise.png",
    "image/png",
    () => Buffer.from("Not an image."),
    "noise.png is not an image this page can read. Choose a JPEG, PNG, WebP or GIF.",
  ],
  [
    "torn.png",
    "image/png",
    async () => (await readFile(photo("coffee.png"))).subarray(0, 9000),
    "torn.png is corrupt or unsupported. Save it again as JPEG or PNG, then choose that.",
  ],
  ["empty.png", "image/png", () => Buffer.alloc(0), "empty.png is empty. Choose another image."],
];
for (const [name, mimeType, bytes, sentence] of rejected) {
  test(`${name} is rejected with a sentence`, async ({ page }) => {
    await pick(page, { name, mimeType, buffer: await bytes() });
    await expectFailure(page, sentence);
    await expect(page.getByRole("button", { name: "Try again" })).toHaveCount(0);
    await pick(page, photo("coffee.png"));
    await expectAnswer(page, "espresso");
    await expect(page.getByRole("alert")).toBeEmpty();
  });
}

test.describe("without a server", () => {
  test.use({ provoked: /net::ERR_FAILED/ });

  test("the page says so, and a retry works once it is back", async ({ page }) => {
    await page.route(CLASSIFY, (route) => route.abort());
    await pick(page, photo("coffee.png"));
    await expectFailure(page, "The server does not answer. Check that it is running, then try again.");
    await page.unroute(CLASSIFY);
    await page.getByRole("button", { name: "Try again" }).click();
    await expect(page.getByRole("region", { name: "Result" })).toBeFocused();
    await expectAnswer(page, "espresso");
  });
});

test("a late answer does not replace a newer one", async ({ page }) => {
  let answerLate = () => {};
  const late = new Promise<void>((resolve) => (answerLate = resolve));
  const first = page.waitForRequest(CLASSIFY);
  await page.route(CLASSIFY, async (route) => {
    const answer = await route.fetch();
    if (route.request() === (await first)) await late;
    await route.fulfill({ response: answer }).catch(() => {}); // the page may have cancelled the request
  });
  await page.getByRole("button", { name: "Coffee", exact: true }).click();
  await first;
  await expectPhase(page, "asking");
  await page.getByRole("button", { name: "Cat", exact: true }).click();
  await expectAnswer(page, "tiger cat");

  answerLate();
  await page.unrouteAll({ behavior: "wait" });
  await page.waitForTimeout(300);
  await expectAnswer(page, "tiger cat");
});
