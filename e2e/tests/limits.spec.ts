import { request } from "node:http";
import { expect, expectAnswer, expectFailure, open, photo, pick, test } from "./classifier";

const CLASSIFY = "/imageclassifier.ImageClassifier/Classify";
const HEADERS = { "content-type": "application/grpc-web+proto" };

test("who calls too often is told when to try again", async ({ page, serve }) => {
  const url = await serve("--rate-limit", "1");
  await open(page, url);
  let others = true;
  const calling = (async () => {
    while (others) await fetch(url + CLASSIFY, { method: "POST", headers: HEADERS, body: new Uint8Array(5) });
  })();
  // A call of the page may be the one in a second that is taken.
  await expect(async () => {
    await pick(page, photo("coffee.png"));
    await expectFailure(page, "You ask more often than this server allows. Try again in 1 second.");
  }).toPass();
  others = false;
  await calling;

  await page.waitForTimeout(1000);
  await page.getByRole("button", { name: "Try again" }).click();
  await expectAnswer(page, "espresso");
});

test("who finds the server busy is told when to try again", async ({ page, serve }) => {
  const url = await serve("--calls-max", "1");
  await open(page, url);
  const unfinished = request(url + CLASSIFY, { method: "POST", headers: { ...HEADERS, "content-length": 1000 } });
  unfinished.on("error", () => {});
  unfinished.flushHeaders();
  await expect(async () => {
    await pick(page, photo("coffee.png"));
    await expectFailure(page, /The server is busy\. Try again in \d+ seconds?\./);
  }).toPass();

  unfinished.destroy();
  await expect(async () => {
    await page.getByRole("button", { name: "Try again" }).click({ timeout: 1000 });
    await expectAnswer(page, "espresso");
  }).toPass();
});
