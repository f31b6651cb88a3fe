import type { Locator, Page } from "@playwright/test";
import { readFileSync } from "node:fs";
import { expect, expectAnswer, expectPhase, open, photo, pick, show, temporaryFile, test } from "./classifier";
import { type Turn, png, turnedWebp } from "./images";

test.beforeEach(({ page }) => open(page));

for (const [width, height, left, top, side] of [
  [640, 480, 110, 30, 420],
  [481, 640, 31, 110, 420],
  [300, 900, 19, 319, 262],
]) {
  test(`of ${width} × ${height} pixels the network saw the centre`, async ({ page }) => {
    // Green within the square, its upper left part blue, and red around it.
    const buffer = png(width, height, (x, y) => {
      const inside = x >= left && x < left + side && y >= top && y < top + side;
      if (inside && x < left + side / 8 && y < top + side / 8) return [0, 0, 255];
      return inside ? [0, 255, 0] : [255, 0, 0];
    });
    let answer = () => {};
    const wanted = new Promise<void>((resolve) => (answer = resolve));
    await page.route("**/Classify", async (route) => {
      await wanted;
      await route.continue();
    });
    await pick(page, { name: "square.png", mimeType: "image/png", buffer });
    await show(page, "Model input");
    const before = await drawn(page);
    expect([before.width, before.height]).toEqual([224, 224]);
    const red = before.pixels.filter((_, at) => at % 4 === 0);
    expect(red.filter((value) => value > 60)).toHaveLength(0); // nothing of what lies around it
    expect([...before.pixels.subarray(0, 3)]).toEqual([0, 0, 255]);
    expect([...before.pixels.subarray(-4, -1)]).toEqual([0, 255, 0]);
    answer();
    await expectPhase(page, "answered");
    expect((await drawn(page)).pixels.equals(before.pixels)).toBe(true); // the server's square is the same
  });
}

const TURNS: [what: string, turn: Turn, isTurned: boolean, first: string][] = [
  ["a quarter turn", { orientation: 6 }, true, "blue"],
  ["a quarter turn back, mirrored", { orientation: 7 }, true, "yellow"],
  ["a quarter turn in a chunk that begins as in a JPEG", { orientation: 6, hasPrefix: true }, true, "blue"],
  ["an Exif chunk that the header does not announce", { orientation: 6, isAnnounced: false }, false, "red"],
];
for (const [what, turn, isTurned, first] of TURNS) {
  test(`a WebP is shown as the server turns it: ${what}`, async ({ page }) => {
    const [width, height] = [320, 200];
    const buffer = turnedWebp(await quarters(page, width, height), width, height, turn);
    await pick(page, { name: "turned.webp", mimeType: "image/webp", buffer });
    await expectPhase(page, "answered");
    const size = isTurned ? [height, width] : [width, height];
    await expect.poll(() => previewSize(page)).toEqual(size);
    await show(page, "Model input");
    const { pixels } = await drawn(page);
    expect(nameOf(pixels)).toBe(first);
    await show(page, "Heatmap");
    await expect(page.getByTestId("heat")).toBeVisible();
    const over = await drawn(page); // as wide and high as the server saw the image
    expect(over.width / over.height).toBeCloseTo(size[0] / size[1], 2);

    // In a batch: what the server says of its size, and the thumbnail.
    await page.getByTestId("file").setInputFiles([
      temporaryFile("turned.webp", buffer),
      temporaryFile("shrunk.webp", Buffer.concat([buffer, Buffer.alloc(12 << 20)])),
    ]);
    await expect(page.getByTestId("batch").getByRole("heading")).toHaveText(/^2 of 2 \w+ done$/);
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save JSON" }).click();
    const saved = readFileSync(await (await download).path(), "utf8").trimEnd().split("\n");
    for (const line of saved) {
      const { picture_width, picture_height } = JSON.parse(line).crop;
      expect([picture_width, picture_height], JSON.parse(line).file).toEqual(size);
    }
    const thumbnail = page.locator("[data-state]:is([data-state=answered], [data-state=unsure]) canvas").first();
    await expect.poll(async () => nameOf(await pixelsOf(thumbnail)), { timeout: 15_000 }).toBe(first);
  });
}

test("the original is there again after the square", async ({ page }) => {
  await pick(page, photo("coffee.png"));
  await expectAnswer(page, "espresso");
  const drawing = page.getByTestId("drawing");
  await expect(drawing).toBeHidden();
  await show(page, "Model input");
  await expect(drawing).toBeVisible();
  await expect(page.getByTestId("preview")).toBeHidden();
  await expect(page.getByTestId("seen")).toContainText("224 × 224 pixels");
  await show(page, "Original");
  await expect(page.getByTestId("preview")).toBeVisible();
  await expect(drawing).toBeHidden();
});

test("each class shows where it was seen, by pointer and keyboard, in colours and in words", async ({ page }) => {
  await pick(page, photo("coffee.png"));
  await expectAnswer(page, "espresso");
  await show(page, "Heatmap");
  const words = page.getByTestId("heat");
  await expect(words).toContainText("espresso");
  await expect(page.getByTestId("drawing")).toHaveAccessibleName((await words.textContent())!);
  await expectPlace(page);
  const first = await drawn(page);

  const second = page.getByRole("listitem").filter({ has: page.getByRole("meter") }).first();
  const label = (await second.getByRole("button").textContent())!;
  await second.hover();
  await expect(words).toContainText(label);
  expect((await drawn(page)).pixels.equals(first.pixels)).toBe(false);

  await page.getByRole("button", { name: "espresso", exact: true }).focus();
  await expect(words).toContainText("espresso");
  await page.keyboard.press("Tab");
  await expect(words).toContainText(label);
  await expect(second.getByRole("button")).toHaveAttribute("aria-pressed", "true");

  await show(page, "Original");
  await expect(page.getByTestId("drawing")).toBeHidden();
  await expect(words).toHaveCount(0);
  await second.getByRole("button").click();
  await expect(page.getByRole("radio", { name: "Heatmap" })).toBeChecked();
  await expect(words).toContainText(label);
});

test("weak evidence is transparent, and the strongest is in the colours of the command line", async ({ page }) => {
  await pick(page, photo("coffee.png"));
  await expectAnswer(page, "espresso");
  await show(page, "Heatmap");
  await page.getByLabel("Overlay opacity").fill("100");
  const drawing = await drawn(page);
  let [clear, all] = [0, 0];
  let brightest = [0, 0, 0];
  eachInside(drawing, (at) => {
    const [red, green, blue, opacity] = drawing.pixels.subarray(at, at + 4);
    all += 1;
    clear += Number(opacity === 0);
    if (opacity === 255 && red + green > brightest[0] + brightest[1]) brightest = [red, green, blue];
  });
  expect(clear / all).toBeGreaterThan(0.2);
  expect(clear / all).toBeLessThan(0.95);
  const [red, green, blue] = brightest; // the light end of "inferno"
  expect(red).toBeGreaterThan(235);
  expect(green).toBeGreaterThan(180);
  expect(blue).toBeLessThan(180);
});

test("the heatmap can be made weaker until nothing is left of it", async ({ page }) => {
  await pick(page, photo("coffee.png"));
  await expectAnswer(page, "espresso");
  await show(page, "Heatmap");
  const cover = page.getByLabel("Overlay opacity");
  await expect(cover).toHaveValue("70");
  const strongest = async () => {
    const drawing = await drawn(page);
    let found = 0;
    eachInside(drawing, (at) => (found = Math.max(found, drawing.pixels[at + 3])));
    return found;
  };
  await cover.fill("100");
  const full = await strongest();
  expect(full).toBeGreaterThan(120);
  await cover.fill("50");
  expect(Math.abs((await strongest()) - full / 2)).toBeLessThan(4);
  await cover.fill("0");
  expect(await strongest()).toBe(0);
});

interface Drawn {
  width: number;
  height: number;
  /** Red, green, blue, opacity. */
  pixels: Buffer;
}

/** A WebP with a colour in each quarter: red, green; blue, yellow. Its middle is what the network sees. */
async function quarters(page: Page, width: number, height: number): Promise<Buffer> {
  const base64 = await page.evaluate(
    async ([width, height]) => {
      const canvas = new OffscreenCanvas(width, height);
      const brush = canvas.getContext("2d")!;
      for (const [at, colour] of ["#f00", "#0f0", "#00f", "#ff0"].entries()) {
        brush.fillStyle = colour;
        brush.fillRect((at % 2) * (width / 2), Math.floor(at / 2) * (height / 2), width / 2, height / 2);
      }
      const blob = await canvas.convertToBlob({ type: "image/webp", quality: 0.9 });
      return btoa(String.fromCharCode(...new Uint8Array(await blob.arrayBuffer())));
    },
    [width, height],
  );
  return Buffer.from(base64, "base64");
}

/** The colour of the first pixel. */
function nameOf(pixels: Buffer): string {
  const [red, green, blue] = pixels.subarray(0, 3).map((value) => Number(value > 128));
  return { "100": "red", "010": "green", "001": "blue", "110": "yellow" }[`${red}${green}${blue}`] ?? "another";
}

function previewSize(page: Page): Promise<[number, number]> {
  return page.getByTestId("preview").evaluate((image) => {
    const { naturalWidth, naturalHeight } = image as HTMLImageElement;
    return [naturalWidth, naturalHeight];
  });
}

async function drawn(page: Page): Promise<Drawn> {
  await expect(page.getByTestId("drawing")).toBeVisible();
  return read(page.getByTestId("drawing"));
}

async function pixelsOf(canvas: Locator): Promise<Buffer> {
  return (await read(canvas)).pixels;
}

async function read(canvas: Locator): Promise<Drawn> {
  const { width, height, base64 } = await canvas.evaluate((drawing) => {
    const { width, height } = drawing as HTMLCanvasElement;
    const copy = Object.assign(document.createElement("canvas"), { width, height });
    const brush = copy.getContext("2d", { willReadFrequently: true })!;
    brush.drawImage(drawing as HTMLCanvasElement, 0, 0);
    const { data } = brush.getImageData(0, 0, width, height);
    let bytes = "";
    for (let at = 0; at < data.length; at += 4096) bytes += String.fromCharCode(...data.subarray(at, at + 4096));
    return { width, height, base64: btoa(bytes) };
  });
  return { width, height, pixels: Buffer.from(base64, "base64") };
}

/** Visits the pixels of the square in a drawing over the whole image, with their place in the square, 0 to 1. */
function eachInside({ width, height }: Drawn, visit: (at: number, column: number, row: number) => void) {
  const side = Math.min(width, height) * 0.875;
  const [left, top] = [(width - side) / 2, (height - side) / 2];
  for (let y = Math.ceil(top) + 2; y < top + side - 2; y += 1) {
    for (let x = Math.ceil(left) + 2; x < left + side - 2; x += 1) {
      visit(4 * (y * width + x), (x - left) / side, (y - top) / side);
    }
  }
}

/** The words name the part of the square where the colour is lightest. */
async function expectPlace(page: Page) {
  const drawing = await drawn(page);
  let best = { light: 0, column: 0, row: 0 };
  eachInside(drawing, (at, column, row) => {
    const [red, green, , opacity] = drawing.pixels.subarray(at, at + 4);
    const light = (red + 2 * green) * opacity;
    if (light > best.light) best = { light, column, row };
  });
  const third = (part: number) => [0, 0, 1, 1, 1, 2, 2][Math.floor(part * 7)]; // in cells of the map
  const places = [
    ["in the upper left", "at the top", "in the upper right"],
    ["on the left", "in the centre", "on the right"],
    ["in the lower left", "at the bottom", "in the lower right"],
  ];
  await expect(page.getByTestId("heat")).toContainText(places[third(best.row)][third(best.column)]);
}
