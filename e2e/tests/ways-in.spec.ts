import type { Page } from "@playwright/test";
import { readFile } from "node:fs/promises";
import { expect, expectAnswer, expectFailure, open, photo, test } from "./classifier";

const COFFEE = photo("coffee.png");

test.beforeEach(({ page }) => open(page));

test("an image dropped anywhere is classified", async ({ page }) => {
  await drag(page, "dragEnter");
  await drag(page, "dragOver");
  await expect(page.locator(".stage")).toHaveAttribute("data-hovering", "true");
  await drag(page, "drop");
  await expect(page.locator(".stage")).toHaveAttribute("data-hovering", "false");
  await expectAnswer(page, "espresso");
});

test("an image dragged away again is ignored", async ({ page }) => {
  await drag(page, "dragEnter");
  await drag(page, "dragOver");
  await expect(page.locator(".stage")).toHaveAttribute("data-hovering", "true");
  await page.locator("main").dispatchEvent("dragleave"); // towards no other element: out of the window
  await expect(page.locator(".stage")).toHaveAttribute("data-hovering", "false");
  await expect(page.locator(".stage")).toHaveAttribute("data-phase", "empty");
});

test("an image picked with the button is classified", async ({ page }) => {
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Choose an image" }).click();
  await (await chooser).setFiles(COFFEE);
  await expectAnswer(page, "espresso");
  await expect(page.getByRole("status")).toHaveText(/^coffee\.png: espresso, 95\.\d%\.$/);
  await expect(page.getByTestId("preview")).toHaveAccessibleName("Your image, coffee.png");
});

test("a pasted image is classified", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const image = new Blob([bytes], { type: "image/png" });
    await navigator.clipboard.write([new ClipboardItem({ [image.type]: image })]);
  }, await readFile(COFFEE, "base64"));
  await page.keyboard.press("Control+V");
  await expectAnswer(page, "espresso");
});

test("a pasted text is rejected", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.evaluate(() => navigator.clipboard.writeText("espresso"));
  await page.keyboard.press("Control+V");
  await expectFailure(page, "What you pasted contains no image. Copy an image, then paste again.");
});

for (const [sample, label] of [
  ["Coffee", "espresso"],
  ["Cat", "tiger cat"],
  ["Rocket", "missile"],
  ["Pasture", "ram"],
]) {
  test(`the sample ${sample} is classified`, async ({ page }) => {
    await page.getByRole("button", { name: sample, exact: true }).click();
    await expectAnswer(page, label);
  });
}

test.describe("on a phone", () => {
  test.use({ hasTouch: true, isMobile: true, viewport: { width: 360, height: 740 } });

  test("a photo is taken with the camera, and no folder is asked for", async ({ page }) => {
    await expect(page.getByRole("button", { name: "Choose a folder" })).toBeHidden();
    const chooser = page.waitForEvent("filechooser");
    await page.getByRole("button", { name: "Take a photo" }).click();
    await expect(page.getByTestId("camera")).toHaveAttribute("capture", "environment");
    await (await chooser).setFiles(COFFEE);
    await expectAnswer(page, "espresso");
  });
});

test("a desktop offers a folder and no camera", async ({ page }) => {
  await expect(page.getByRole("button", { name: "Take a photo" })).toBeHidden();
  const chooser = page.waitForEvent("filechooser");
  await page.getByRole("button", { name: "Choose a folder" }).click();
  await chooser;
  await expect(page.getByTestId("folder")).toHaveAttribute("webkitdirectory");
});

test.describe("images of other sites", () => {
  test.use({ provoked: /net::ERR_FAILED|CORS policy/ });

  for (const way of ["dropped", "pasted"] as const) {
    test(`the ${way} address of an image is fetched by the browser`, async ({ page }) => {
      const asked: Record<string, string>[] = [];
      await page.route("https://images.example/**", async (route) => {
        asked.push(await route.request().allHeaders());
        const headers = { "access-control-allow-origin": "*", "content-type": "image/png" };
        await route.fulfill({ headers, body: await readFile(COFFEE) });
      });
      await address(page, way, "https://images.example/cups/coffee.png?size=large");
      await expectAnswer(page, "espresso");
      await expect(page.getByTestId("preview")).toHaveAccessibleName(/coffee\.png/);
      expect(asked.length).toBe(1);
      expect(asked[0]).not.toHaveProperty("cookie");
      expect(asked[0]).not.toHaveProperty("referer");
    });
  }

  const rejected: [string, string, RegExp][] = [
    ["a site that forbids it", "https://closed.example/a.png", /^closed\.example does not let this page fetch its image\./],
    ["a site without encryption", "http://plain.example/a.png", /^plain\.example does not let this page fetch its image\./],
    ["a page", "https://page.example/cats.html", /^cats\.html is not an image this page can read\./],
  ];
  for (const [what, url, sentence] of rejected) {
    test(`the dropped address of ${what} gets a sentence`, async ({ page }) => {
      await page.route("https://closed.example/**", (route) =>
        route.fulfill({ headers: { "access-control-allow-origin": "https://elsewhere.example" }, body: "not for you" }),
      );
      await page.route("https://page.example/**", (route) =>
        route.fulfill({ headers: { "access-control-allow-origin": "*", "content-type": "text/html" }, body: "<h1>Cats" }),
      );
      await address(page, "dropped", url);
      await expectFailure(page, sentence);
    });
  }
});

test.describe("images that come as text", () => {
  const dataUrl = async () => `data:image/png;base64,${await readFile(COFFEE, "base64")}`;
  const dropped = (html: string) => ({ "text/html": `<img src="${html}">`, "text/uri-list": html });

  test("a dropped image of a search result is classified", async ({ page }) => {
    await transfer(page, "drop", dropped(await dataUrl()));
    await expectAnswer(page, "espresso");
    await expect(page.getByTestId("preview")).toHaveAccessibleName(/image\.png/);
  });

  test("pasted HTML with a data URL is classified", async ({ page }) => {
    await transfer(page, "paste", { "text/html": `<p>A cup<img alt="cup" src="${await dataUrl()}">`, "text/plain": "A cup" });
    await expectAnswer(page, "espresso");
  });

  test("a pasted data URL on several lines is classified", async ({ page }) => {
    await transfer(page, "paste", { "text/plain": (await dataUrl()).replace(/.{76}/g, "$&\r\n") });
    await expectAnswer(page, "espresso");
  });

  test("a dropped data URL without base64 is classified", async ({ page }) => {
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200"><rect width="300" height="200" fill="red"/></svg>';
    await transfer(page, "drop", { "text/uri-list": `data:image/svg+xml,${encodeURIComponent(svg)}` });
    await expect(page.locator(".stage")).toHaveAttribute("data-phase", "answered");
  });

  const useless: [what: string, way: "drop" | "paste", data: Record<string, string>, sentence: RegExp][] = [
    ["an image that only its own page holds", "drop", dropped("blob:https://other.example/1b2c"), /cannot open this address\. Save the image/],
    ["a file's address", "drop", { "text/uri-list": "file:///home/me/cat.jpg" }, /cannot open this address\. Save the image/],
    ["a link that leads to no site", "drop", { "text/uri-list": "mailto:me@example.com" }, /contains no image/],
    ["an empty list of links", "drop", { "text/uri-list": "# nothing\r\n" }, /contains no image/],
    ["a damaged data URL", "drop", dropped("data:image/png;base64,A"), /is corrupt or unsupported/],
    ["a data URL of text", "paste", { "text/plain": "data:text/plain,hello" }, /is not an image this page can read/],
    ["a text that looks like an address", "paste", { "text/plain": "espresso: a drink" }, /contains no image/],
  ];
  for (const [what, way, data, sentence] of useless) {
    test(`${what} gets a sentence`, async ({ page }) => {
      await transfer(page, way, data);
      await expectFailure(page, sentence);
    });
  }
});

test("a dropped file that the browser does not hand over gets a sentence", async ({ page }) => {
  await page.evaluate(() => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(["x"], "attachment.png"));
    DataTransferItem.prototype.getAsFile = () => null;
    DataTransferItem.prototype.webkitGetAsEntry = () => null;
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
  });
  await expectFailure(page, "The browser could not read what you dropped. Save it as a file, then drop that.");
});

test.describe("several addresses", () => {
  test.use({ provoked: /net::ERR_FAILED|CORS policy/ });

  for (const [way, type] of [
    ["paste", "text/plain"],
    ["drop", "text/uri-list"],
  ] as const) {
    test(`each image is fetched, and a failure has its own row: ${way}`, async ({ page }) => {
      const asked: string[] = [];
      await page.route("https://images.example/**", async (route) => {
        asked.push(route.request().url());
        const headers = { "access-control-allow-origin": "*", "content-type": "image/png" };
        await route.fulfill({ headers, body: await readFile(COFFEE) });
      });
      await page.route("https://closed.example/**", (route) => route.abort());
      const urls = ["https://images.example/one.png", "https://images.example/two.png", "https://closed.example/three.png"];
      await transfer(page, way, { [type]: urls.join("\r\n") });
      await expect(page.getByTestId("batch").getByRole("heading")).toHaveText(/^3 of 3 \w+ done, 1 failed$/);
      expect(asked.sort()).toEqual(urls.slice(0, 2));
      const rows = page.locator("[role=row][data-state]");
      await expect(rows.nth(0)).toHaveAttribute("data-state", "failed");
      await expect(rows.nth(0)).toContainText("closed.example does not let this page fetch its image");
      await expect(rows.nth(1)).toContainText("one.png");
      await expect(rows.nth(1)).toContainText("espresso");
      await rows.nth(0).getByRole("button", { name: "three.png", exact: true }).click();
      await expect(page.getByRole("alert")).toContainText("closed.example");
    });
  }

  test("an address with spaces is one address", async ({ page }) => {
    const asked: string[] = [];
    await page.route("https://images.example/**", async (route) => {
      asked.push(route.request().url());
      const headers = { "access-control-allow-origin": "*", "content-type": "image/png" };
      await route.fulfill({ headers, body: await readFile(COFFEE) });
    });
    await transfer(page, "paste", { "text/plain": " https://images.example/my cup.png\n" });
    await expectAnswer(page, "espresso");
    expect(asked).toEqual(["https://images.example/my%20cup.png"]);
  });
});

/** What the browser does with something from elsewhere that is dropped or pasted. */
async function transfer(page: Page, way: "drop" | "paste", data: Record<string, string>) {
  await page.evaluate(
    ([way, data]) => {
      const transfer = new DataTransfer();
      for (const [type, text] of Object.entries(data)) transfer.setData(type, text);
      const event =
        way === "drop"
          ? new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true })
          : new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true });
      document.body.dispatchEvent(event);
    },
    [way, data] as const,
  );
}

/** What the browser does with the address of an image that comes from elsewhere. */
async function address(page: Page, way: "dropped" | "pasted", url: string) {
  await page.evaluate(
    ([way, url]) => {
      const data = new DataTransfer();
      data.setData(way === "dropped" ? "text/uri-list" : "text/plain", url);
      const event =
        way === "dropped"
          ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
          : new ClipboardEvent("paste", { clipboardData: data, bubbles: true });
      document.body.dispatchEvent(event);
    },
    [way, url] as const,
  );
}

/** The browser's own drag of a file from outside. */
async function drag(page: Page, type: "dragEnter" | "dragOver" | "drop") {
  const browser = await page.context().newCDPSession(page);
  const data = { items: [], files: [COFFEE], dragOperationsMask: 1 };
  await browser.send("Input.dispatchDragEvent", { type, x: 40, y: 40, data });
}
