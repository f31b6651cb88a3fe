import type { Locator, Page } from "@playwright/test";
import { expect, expectAnswer, expectPhase, open, photo, pick, show, test, violations } from "./classifier";
import { png } from "./images";

const PHONES = [
  { width: 390, height: 844 },
  { width: 360, height: 740 },
];

for (const size of [{ width: 1280, height: 720 }, ...PHONES]) {
  test(`the answer is visible without scrolling, ${size.width} × ${size.height}`, async ({ page }) => {
    await page.setViewportSize(size);
    await open(page);
    for (const [width, height] of [[640, 480], [300, 900], [1600, 500]]) {
      const buffer = png(width, height, (x, y) => [x & 255, y & 255, 128]);
      await pick(page, { name: `${width}.png`, mimeType: "image/png", buffer });
      await expectPhase(page, "answered");
      await expect.poll(() => isPainted(page)).toBe(true);
      const best = await box(page.locator(".answer .best"));
      expect(best.y, `${width} × ${height}`).toBeGreaterThanOrEqual(0);
      expect(best.y + best.height, `${width} × ${height}`).toBeLessThanOrEqual(size.height);
    }
    await pick(page, photo("coffee.png"));
    await expectAnswer(page, "espresso");
    await expect.poll(() => isPainted(page)).toBe(true);
    const last = await box(page.getByRole("meter").last());
    expect(last.y + last.height).toBeLessThanOrEqual(size.height); // all five classes
    expect(await page.evaluate(() => scrollY)).toBe(0);
  });
}

test("the class and its confidence are the largest text, in one line", async ({ page }) => {
  await open(page);
  await pick(page, photo("coffee.png"));
  await expectAnswer(page, "espresso");
  const sizes = await page.evaluate(() => {
    const size = (element: Element) => parseFloat(getComputedStyle(element).fontSize);
    const best = document.querySelector(".best h2")!;
    const others = [...document.querySelectorAll("h1, button, p, a, summary, .bars .class")].map(size);
    return { best: size(best), other: Math.max(...others.filter((other) => other !== size(best))) };
  });
  expect(sizes.best).toBeGreaterThan(1.5 * sizes.other);
  const [label, percent] = [await box(page.locator(".best h2")), await box(page.locator(".best .percent"))];
  expect(Math.abs(label.y - percent.y)).toBeLessThan(4);
});

test("the primary action steps back once there is an answer, and back again after Close list", async ({ page }) => {
  await open(page);
  const pickButton = page.locator("button.pick");
  const ground = () => pickButton.evaluate((button) => getComputedStyle(button).backgroundColor);
  await expect(pickButton).toHaveText("Choose an image");
  expect(await ground()).not.toBe("rgba(0, 0, 0, 0)");
  await pick(page, photo("coffee.png"));
  await expectAnswer(page, "espresso");
  await expect(pickButton).toHaveText("Another image");
  await page.mouse.move(0, 0);
  await expect.poll(ground).toBe("rgba(0, 0, 0, 0)");
  await page.getByTestId("file").setInputFiles([photo("coffee.png"), photo("rocket.jpg")]);
  await page.getByRole("button", { name: "Close list" }).click();
  await expect(pickButton).toHaveText("Choose an image");
});

test("there are no bars around an image of any shape", async ({ page }) => {
  await open(page);
  for (const [width, height] of [[640, 480], [300, 900], [1600, 500]]) {
    await pick(page, { name: `${width}.png`, mimeType: "image/png", buffer: png(width, height, () => [90, 120, 200]) });
    await expectPhase(page, "answered");
    await expect.poll(() => isPainted(page)).toBe(true);
    const [image, frame] = [await box(page.getByTestId("preview")), await box(page.locator(".frame"))];
    expect(Math.abs(image.width - frame.width)).toBeLessThan(1.5);
    expect(Math.abs(image.height - frame.height)).toBeLessThan(1.5);
    expect(image.width / image.height).toBeCloseTo(width / height, 1);
  }
});

test.describe("on a phone", () => {
  test.use({ hasTouch: true, isMobile: true, viewport: PHONES[1] });

  test("everything to press is at least 44 pixels high, and nothing speaks of keys", async ({ page }) => {
    await open(page);
    await expect(page.locator("kbd").first()).toBeHidden();
    expect(await small(page)).toEqual([]);
    await pick(page, photo("coffee.png"));
    await expectAnswer(page, "espresso");
    await show(page, "Heatmap");
    await page.getByTestId("details").locator("summary").click();
    expect(await small(page)).toEqual([]);
    await page.getByRole("button", { name: "Use via API" }).click();
    await expect(page.getByRole("dialog")).toBeVisible();
    expect(await small(page)).toEqual([]);
  });
});

test("the theme is chosen in the footer and kept", async ({ page }) => {
  await page.emulateMedia({ colorScheme: "light" });
  await open(page);
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.getByLabel("Theme").selectOption("Dark");
  await expect.poll(ground).not.toBe(light);
  const dark = await ground();
  expect(await violations(page)).toEqual([]);
  await page.reload();
  await expectPhase(page, "empty");
  expect(await ground()).toBe(dark);
  await expect(page.getByLabel("Theme").locator("option:checked")).toHaveText("Dark");
  await page.emulateMedia({ colorScheme: "dark" });
  await page.getByLabel("Theme").selectOption("Light");
  await expect.poll(ground).toBe(light);
  await page.getByLabel("Theme").selectOption("System");
  await expect.poll(ground).toBe(dark);
});

test("the footer says what becomes of images and leads to more", async ({ page }) => {
  await open(page);
  await expect(page.getByTestId("privacy")).toHaveText("Images go to this server to be classified. It does not keep them.");
  for (const link of ["Documentation", "Source", "Licence"]) {
    const href = (await page.getByRole("contentinfo").getByRole("link", { name: link }).getAttribute("href"))!;
    const response = await page.request.get(href.split("#")[0]);
    expect(response.ok()).toBe(true);
    expect(await response.text()).toContain(`id="${href.split("#")[1]}"`);
  }
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.goto("/about.html");
    expect(await violations(page)).toEqual([]);
  }
});

test("at twice the size nothing is cut off", async ({ page }) => {
  await page.setViewportSize({ width: 640, height: 360 }); // 1280 × 720 at 200 %
  await open(page);
  await pick(page, photo("coffee.png"));
  await expectAnswer(page, "espresso");
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  expect(content).toBe(window);
});

for (const emulated of [{ reducedMotion: "reduce" }, { forcedColors: "active" }] as const) {
  test(`axe finds nothing to improve with ${Object.keys(emulated)[0]}`, async ({ page }) => {
    await page.emulateMedia(emulated);
    await open(page);
    expect(await violations(page)).toEqual([]);
    await pick(page, photo("coffee.png"));
    await expectAnswer(page, "espresso");
    expect(await violations(page)).toEqual([]);
  });
}

async function box(element: Locator) {
  return (await element.boundingBox())!;
}

/** Whether the image has its final place. */
function isPainted(page: Page): Promise<boolean> {
  return page.evaluate(() => [...document.querySelectorAll<HTMLImageElement>(".frame img")].some((image) => image.complete && image.naturalWidth > 0));
}

/** What can be pressed and is lower than 44 pixels; names of classes stand in lines of text. */
function small(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const root = document.querySelector("dialog[open]") ?? document.body;
    const pressed = root.querySelectorAll("button:not(.class), summary, select, .tabs label, .shrink, a, input[type=range]");
    return [...pressed]
      .map((element) => (element.matches("input[type=range]") ? element.closest("label")! : element))
      .filter((element) => (element as HTMLElement).checkVisibility() && element.getBoundingClientRect().height < 43.9)
      .map((element) => element.outerHTML.slice(0, 80));
  });
}
