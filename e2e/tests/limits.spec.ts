import { request } from "node:http";
import { expect, expectAnswer, expectFailure, open, photo, pick, test } from "./classifier";

const CLASSIFY = "/imageclassifier.ImageClassifier/Classify";
const HEADERS = { "content-type": "application/grpc-web+proto" };

test("a rate-limited visitor is told when to try again", async ({ page, serve }) => {
  const url = await serve("--rate-limit", "1");
  await open(page, url);
  let others = true;
  const calling = (async () => {
    while (others) await fetch(url + CLASSIFY, { method: "POST", headers: HEADERS, body: new Uint8Array(5) });
  })();
  // The page's request may be the one per second that is accepted.
  await expect(async () => {
    await pick(page, photo("coffee.png"));
    await expectFailure(page, "Too many requests. Wait 1 second and try again.");
  }).toPass();
  others = false;
  await calling;

  await page.waitForTimeout(1000);
  await page.getByRole("button", { name: "Try again" }).click();
  await expectAnswer(page, "espresso");
});

test("a busy server tells the visitor when to try again", async ({ page, serve }) => {
  const url = await serve("--calls-max", "1");
  await open(page, url);
  const unfinished = request(url + CLASSIFY, { method: "POST", headers: { ...HEADERS, "content-length": 1000 } });
  unfinished.on("error", () => {});
  unfinished.flushHeaders();
  await expect(async () => {
    await pick(page, photo("coffee.png"));
    await expectFailure(page, /The server is busy\. Wait \d+ seconds? and try again\./);
  }).toPass();

  unfinished.destroy();
  await expect(async () => {
    await page.getByRole("button", { name: "Try again" }).click({ timeout: 1000 });
    await expectAnswer(page, "espresso");
  }).toPass();
});
