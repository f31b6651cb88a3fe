import type { Page } from "@playwright/test";
import { ALLOWED_ORIGIN, OTHER_ORIGIN, SERVER } from "./addresses";
import { expect, photo, temporaryFile, test } from "./classifier";

const CLASSIFY = "/imageclassifier.ImageClassifier/Classify";

/** The clients of ../examples/javascript: none shares code with ours. */
const CLIENTS = ["connect", "grpc-web", "grpc-web-text", "fetch"];

for (const client of CLIENTS) {
  test(`${client} on an allowed origin gets the answer`, async ({ page }) => {
    await classify(page, ALLOWED_ORIGIN, client, photo("coffee.png"));
    await expect(page.getByRole("status")).toHaveText(/^espresso 95\.\d %$/);
  });

  test(`${client} on an allowed origin can read an error`, async ({ page }) => {
    await classify(page, ALLOWED_ORIGIN, client, temporaryFile("empty", Buffer.alloc(0)));
    await expect(page.getByRole("status")).toHaveText(/^Failed: .*empty/);
    // The longer one is rejected before the server has read all of it.
    for (const megabytes of [12, 25]) {
      await classify(page, ALLOWED_ORIGIN, client, temporaryFile("large", Buffer.alloc(megabytes << 20)));
      await expect(page.getByRole("status")).toHaveText(/^Failed: .*10485760/);
    }
  });
}

test.describe("another origin", () => {
  test.use({ provoked: /blocked by CORS policy|net::ERR_FAILED/ });

  for (const client of CLIENTS) {
    test(`${client} is kept from the answer`, async ({ page }) => {
      const blocked = page.waitForEvent("console", (message) => message.text().includes("blocked by CORS policy"));
      await classify(page, OTHER_ORIGIN, client, photo("coffee.png"));
      await blocked;
      await expect(page.getByRole("status")).toHaveText(/^Failed: /);
    });
  }
});

test.describe("a post that a browser sends without asking", () => {
  test.use({ provoked: /status of (403|415)/ });

  for (const [origin, status] of [
    [OTHER_ORIGIN, 403],
    [ALLOWED_ORIGIN, 415], // allowed, but not gRPC-Web
  ] as const) {
    test(`is answered ${status} to ${origin}`, async ({ page }) => {
      await page.goto(origin);
      const answer = page.waitForResponse(SERVER + CLASSIFY);
      await page.evaluate((url) => fetch(url, { method: "POST", mode: "no-cors", body: "text" }), SERVER + CLASSIFY);
      expect((await answer).status()).toBe(status);
    });
  }
});

async function classify(page: Page, origin: string, client: string, file: string) {
  await page.goto(origin);
  await page.getByLabel("Server").fill(SERVER);
  await page.getByLabel("Client").selectOption(client);
  await page.getByLabel("Image").setInputFiles(file);
}
