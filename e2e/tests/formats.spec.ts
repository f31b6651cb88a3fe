import type { Page } from "@playwright/test";
import { readFileSync } from "node:fs";
import { expect, expectAnswer, expectFailure, expectPhase, open, photo, pick, test } from "./classifier";
import { ico, png, tiff } from "./images";

const CLASSIFY = "/imageclassifier.ImageClassifier/Classify";
const AVIF = readFileSync(new URL("../images/coffee.avif", import.meta.url));
const COFFEE = readFileSync(photo("coffee.png"));
const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><style>circle { fill: orange }</style>' +
  '<circle cx="20" cy="15" r="9" style="stroke: red"/></svg>';

test.beforeEach(({ page }) => open(page));

test("an AVIF is drawn by the browser and sent as a JPEG", async ({ page }) => {
  const sent = sizes(page);
  await pick(page, { name: "coffee.avif", mimeType: "image/avif", buffer: AVIF });
  await expectAnswer(page, "espresso");
  await expect(page.getByTestId("preview")).toHaveAccessibleName(/coffee\.avif/);
  expect(await sent()).toHaveLength(1); // the original is not sent
});

test("an AVIF that claims to be a JPEG is drawn, too", async ({ page }) => {
  await pick(page, { name: "coffee.jpg", mimeType: "image/jpeg", buffer: AVIF });
  await expectAnswer(page, "espresso");
});

test("an SVG is drawn as large as the network needs it, whatever its media type", async ({ page }) => {
  for (const mimeType of ["image/svg+xml", "text/xml", ""]) {
    await pick(page, { name: "sun.svg", mimeType, buffer: Buffer.from(`<?xml version="1.0"?>\n<!-- a sun -->\n${SVG}`) });
    await expectPhase(page, "answered");
    await expect.poll(() => previewSize(page)).toEqual([40, 30]);
    const { picture_width, picture_height } = await seenByServer(page, "sun.svg");
    expect(picture_height).toBeGreaterThanOrEqual(256);
    expect(picture_width / picture_height).toBeCloseTo(4 / 3, 2);
  }
});

test("an icon, which not every server reads, is classified", async ({ page }) => {
  const drawing = png(64, 64, (x, y) => [x * 4, y * 4, 128]);
  await pick(page, { name: "icon.ico", mimeType: "image/x-icon", buffer: ico(64, 64, drawing) });
  await expectPhase(page, "answered");
});

test("in a batch, files that the server cannot read are drawn, and the others are sent once", async ({ page }) => {
  const sent = sizes(page);
  const icon = ico(64, 64, png(64, 64, (x, y) => [x * 4, y * 4, 128]));
  await page.getByTestId("file").setInputFiles([
    { name: "coffee.avif", mimeType: "image/avif", buffer: AVIF },
    { name: "icon.ico", mimeType: "image/x-icon", buffer: icon },
    { name: "coffee.png", mimeType: "image/png", buffer: COFFEE },
    { name: "notes.bin", mimeType: "application/octet-stream", buffer: Buffer.from("no image") },
  ]);
  await expect(page.getByTestId("batch").getByRole("heading")).toHaveText(/^4 of 4 .* 1 failed$/);
  await expect(page.locator("[data-state=failed]")).toContainText("notes.bin");
  const large = (await sent()).filter((size) => size > COFFEE.length);
  expect(large).toHaveLength(1);
});

test("the server decides about formats that the browser cannot display", async ({ page }) => {
  const sent = sizes(page);
  const buffer = tiff(64, 48, [200, 120, 40]);
  await pick(page, { name: "scan.tiff", mimeType: "image/tiff", buffer });
  await expect(page.locator(".stage")).toHaveAttribute("data-phase", /answered|failed/);
  expect(Math.max(...(await sent()))).toBeGreaterThan(buffer.length);
  await expect(page.getByText("This browser cannot display scan.tiff")).toBeVisible();
  await expect(page.getByTestId("preview")).toBeHidden();
});

test("the file dialog offers what the server or the browser can read", async ({ page }) => {
  const accepted = (await page.getByTestId("file").getAttribute("accept"))!.split(",");
  for (const kind of ["image/jpeg", "image/tiff", "image/avif", "image/svg+xml", ".qoi", ".ppm", ".tga", ".dib"]) {
    expect(accepted).toContain(kind);
  }
  expect(accepted).not.toContain("image/heic"); // named, phones would no longer convert it
});

test.describe("a media type of text", () => {
  test("does not overrule the bytes of an image", async ({ page }) => {
    await pick(page, { name: "coffee.txt", mimeType: "text/plain", buffer: COFFEE });
    await expectAnswer(page, "espresso");
  });

  test("does not overrule the bytes of an image fetched from another site", async ({ page }) => {
    await page.route("https://images.example/**", (route) =>
      route.fulfill({ headers: { "access-control-allow-origin": "*", "content-type": "text/plain" }, body: COFFEE }),
    );
    await page.evaluate(() => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", "https://images.example/coffee.png");
      document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
    });
    await expectAnswer(page, "espresso");
  });

  test("keeps a text from being sent", async ({ page }) => {
    const sent = sizes(page);
    await pick(page, { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("Keep this to yourself.") });
    await expectFailure(page, "notes.txt");
    expect(await sent()).toEqual([]);
  });
});

/** The length of each request from now on, in bytes. */
function sizes(page: Page): () => Promise<number[]> {
  const lengths: Promise<number>[] = [];
  page.on("requestfinished", (request) => {
    if (new URL(request.url()).pathname.startsWith(CLASSIFY)) {
      lengths.push(request.allHeaders().then((headers) => Number(headers["content-length"])));
    }
  });
  return () => Promise.all(lengths);
}

function previewSize(page: Page): Promise<[number, number]> {
  return page.getByTestId("preview").evaluate((image) => {
    const { naturalWidth, naturalHeight } = image as HTMLImageElement;
    return [naturalWidth, naturalHeight];
  });
}

/** The image's size as the server says that it saw it, out of the file that a batch saves. */
async function seenByServer(page: Page, name: string): Promise<{ picture_width: number; picture_height: number }> {
  const other = await page.context().newPage();
  await open(other);
  const buffer = Buffer.from(SVG);
  await other.getByTestId("file").setInputFiles([
    { name, mimeType: "image/svg+xml", buffer },
    { name: "coffee.png", mimeType: "image/png", buffer: COFFEE },
  ]);
  await expect(other.getByTestId("batch").getByRole("heading")).toHaveText(/^2 of 2 \w+ done$/);
  const download = other.waitForEvent("download");
  await other.getByRole("button", { name: "Save JSON" }).click();
  const saved = readFileSync(await (await download).path(), "utf8").split("\n");
  await other.close();
  return JSON.parse(saved[0]).crop;
}
