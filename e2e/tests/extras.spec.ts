import { readFile } from "node:fs/promises";
import { expect, expectAnswer, expectFailure, expectPhase, open, photo, test } from "./classifier";
import { row } from "./table";

const COFFEE = photo("coffee.png");

test.describe("the button Paste", () => {
  test.beforeEach(async ({ page, context }) => {
    await context.grantPermissions(["clipboard-read", "clipboard-write"]);
    await open(page);
  });

  test("takes an image", async ({ page }) => {
    await page.evaluate(async (base64) => {
      const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
      await navigator.clipboard.write([new ClipboardItem({ "image/png": new Blob([bytes], { type: "image/png" }) })]);
    }, await readFile(COFFEE, "base64"));
    await page.getByRole("button", { name: "Paste", exact: true }).click();
    await expectAnswer(page, "espresso");
  });

  test("says that a text is no image", async ({ page }) => {
    await page.evaluate(() => navigator.clipboard.writeText("espresso"));
    await page.getByRole("button", { name: "Paste", exact: true }).click();
    await expectFailure(page, "What you pasted contains no image.");
  });
});

test("there is no button Paste where a page may not read the clipboard", async ({ page }) => {
  await page.addInitScript(() => Object.defineProperty(Clipboard.prototype, "read", { value: undefined }));
  await open(page);
  await expect(page.getByRole("button", { name: "Paste", exact: true })).toHaveCount(0);
});

test("an address can be entered", async ({ page }) => {
  await page.route("https://images.example/**", async (route) => {
    const headers = { "access-control-allow-origin": "*", "content-type": "image/png" };
    await route.fulfill({ headers, body: await readFile(COFFEE) });
  });
  await open(page);
  await page.getByText("Web address").click();
  await page.getByLabel("Address of an image").fill("https://images.example/cup.png");
  await page.keyboard.press("Enter");
  await expectAnswer(page, "espresso");
  await expect(page.getByTestId("preview")).toHaveAccessibleName(/cup\.png/);
  await expect(page.getByLabel("Address of an image")).toBeHidden();
});

test("a file opened with the installed page is classified", async ({ page }) => {
  await page.addInitScript(() => {
    const launchQueue = { setConsumer: (consumer: unknown) => Object.assign(window, { consumer }) };
    Object.defineProperty(window, "launchQueue", { value: launchQueue });
  });
  await open(page);
  await page.waitForFunction(() => "consumer" in window);
  await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const file = new File([bytes], "opened.png", { type: "image/png" });
    const { consumer } = window as unknown as { consumer: (launch: object) => Promise<void> };
    await consumer({ files: [{ getFile: async () => file }] });
  }, await readFile(COFFEE, "base64"));
  await expectAnswer(page, "espresso");
  await expect(page.getByTestId("preview")).toHaveAccessibleName(/opened\.png/);
});

test.describe("what other apps share with the installed page", () => {
  test.use({ serviceWorkers: "allow" });

  for (const [what, names] of [
    ["an image is classified", ["coffee.png"]],
    ["several images become a table", ["coffee.png", "rocket.jpg"]],
  ] as const) {
    test(`${what}, and is not kept`, async ({ page }) => {
      await open(page);
      await page.evaluate(() => navigator.serviceWorker.ready);
      await page.reload(); // the worker is in charge now
      const images = await Promise.all(names.map(async (name) => [name, await readFile(photo(name), "base64")]));
      // As the browser posts it when an app shares; it opens the address of the redirect then.
      const status = await page.evaluate(async (images) => {
        const form = new FormData();
        for (const [name, base64] of images) {
          const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
          form.append("images", new File([bytes], name, { type: name.endsWith("png") ? "image/png" : "image/jpeg" }));
        }
        return (await fetch("share", { method: "POST", body: form })).status;
      }, images);
      expect(status).toBe(200);
      await page.goto("/?shared");
      if (names.length === 1) await expectAnswer(page, "espresso");
      for (const name of names.length > 1 ? names : []) await expect(row(page, name)).toHaveAttribute("data-state", "answered");
      expect(new URL(page.url()).search).toBe("");
      expect(await page.evaluate(() => caches.has("shared"))).toBe(false);
    });
  }

  test("a text without an image gets a sentence", async ({ page }) => {
    await open(page);
    await page.evaluate(() => navigator.serviceWorker.ready);
    await page.reload();
    await page.evaluate(async () => {
      const form = new FormData();
      form.append("text", "espresso");
      await fetch("share", { method: "POST", body: form });
    });
    await page.goto("/?shared");
    await expectPhase(page, "failed");
    await expect(page.getByRole("alert")).toContainText("contains no image");
  });
});

test("the manifest offers to take shared and opened images", async ({ page }) => {
  await open(page);
  const browser = await page.context().newCDPSession(page);
  const { data } = await browser.send("Page.getAppManifest");
  const manifest = JSON.parse(data!);
  expect(manifest.share_target).toMatchObject({ action: "share", method: "POST", enctype: "multipart/form-data" });
  expect(Object.keys(manifest.file_handlers[0].accept)).toContain("image/jpeg");
});

test("the table's rows are reached with the arrow keys, Home and End", async ({ page }) => {
  await open(page);
  const files = Array.from({ length: 60 }, (_, at) => ({
    name: `${String(at).padStart(2, "0")}.png`,
    mimeType: "image/png",
    buffer: Buffer.from("not an image"),
  }));
  await page.getByTestId("file").setInputFiles(files);
  await expect(page.getByTestId("batch").getByRole("heading")).toHaveText("60 of 60 images done, 60 failed");
  await page.locator(".scroller").focus();
  const focused = () => page.evaluate(() => document.activeElement?.textContent);
  await page.keyboard.press("ArrowDown");
  await expect.poll(focused).toBe("00.png");
  for (let at = 0; at < 20; at += 1) await page.keyboard.press("ArrowDown");
  await expect.poll(focused).toBe("20.png");
  await page.keyboard.press("ArrowUp");
  await expect.poll(focused).toBe("19.png");
  await page.keyboard.press("End");
  await expect.poll(focused).toBe("59.png");
  await page.keyboard.press("Home");
  await expect.poll(focused).toBe("00.png");
  await page.keyboard.press("Enter");
  await expect(row(page, "00.png")).toHaveAttribute("data-selected", "true");
});
