import type { CDPSession, Page } from "@playwright/test";
import { readFileSync } from "node:fs";
import { expect, expectAnswer, open, photo, test } from "./classifier";
import { expectDone } from "./table";

// How fast the page is, printed: npm run speed, with a release server that has the page, and nothing else running.
test.skip(!process.env.MEASURE, "MEASURE=1 is not set");
test.describe.configure({ mode: "serial" });

const ROWS = 2000;
const ANSWERS = 40;

test("from choosing an image to its painted answer, over the server's own time", async ({ page }) => {
  test.setTimeout(120_000);
  await open(page);
  const image = readFileSync(photo("coffee.png"), "base64");
  await pick(page, image);
  await expectAnswer(page, "espresso");
  const over: number[] = [];
  for (let run = 0; run < ANSWERS; run += 1) {
    const tookMs = await pick(page, image);
    const timings = (await page.getByTestId("timings").textContent())!;
    const serverMs = [/queue ([\d.]+) ms/, /decoding ([\d.]+) ms/, /inference ([\d.]+) ms/]
      .map((stage) => Number(timings.match(stage)![1]))
      .reduce((sum, ms) => sum + ms);
    over.push(tookMs - serverMs);
    await page.waitForTimeout(100);
  }
  console.log(`answer painted: ${line(over)} over the server's own time`);
  expect(over.length).toBe(ANSWERS);
});

test(`scrolling a list of ${ROWS} images`, async ({ page, serve }) => {
  test.setTimeout(300_000);
  await open(page, await serve());
  const image = readFileSync(photo("rocket.jpg"), "base64");
  await page.evaluate(([image, rows]) => {
    const bytes = Uint8Array.from(atob(image), (character) => character.charCodeAt(0));
    const given = new DataTransfer();
    for (let row = 0; row < rows; row += 1) given.items.add(new File([bytes], `${row}.jpg`, { type: "image/jpeg" }));
    const input = document.querySelector<HTMLInputElement>("[data-testid=file]")!;
    input.files = given.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }, [image, ROWS] as const);
  await expectDone(page, `${ROWS} of ${ROWS} images done`, 240_000);
  const browser = await page.context().newCDPSession(page);
  await browser.send("Performance.enable");
  const before = await spent(browser);
  const { frames, longTasks } = await page.evaluate(scroll);
  const after = await spent(browser);
  const late = frames.filter((ms) => ms > 1000 / 60 + 2).length;
  console.log(
    `scrolling ${ROWS} rows: frames ${line(frames)}, ${late} of ${frames.length} late; ` +
      `long tasks (50 ms and more): ${longTasks.length ? longTasks.map((ms) => ms.toFixed(0)).join(", ") : "none"}; ` +
      `per frame: ${Object.keys(after).map((what) => `${what} ${((1000 * (after[what] - before[what])) / frames.length).toFixed(1)}`).join(", ")} ms`,
  );
  expect(frames.length).toBeGreaterThan(100);
});

/** Seconds that the page's main thread has spent so far. */
async function spent(browser: CDPSession): Promise<Record<string, number>> {
  const { metrics } = await browser.send("Performance.getMetrics");
  const seconds = (name: string) => metrics.find((metric) => metric.name === name)!.value;
  return { script: seconds("ScriptDuration"), style: seconds("RecalcStyleDuration"), layout: seconds("LayoutDuration"), all: seconds("TaskDuration") };
}

/** Hands the page an image and waits until its answer is painted; gives the milliseconds between. */
async function pick(page: Page, image: string): Promise<number> {
  return page.evaluate(async (image) => {
    const bytes = Uint8Array.from(atob(image), (character) => character.charCodeAt(0));
    const given = new DataTransfer();
    given.items.add(new File([bytes], "coffee.png", { type: "image/png" }));
    const stage = document.querySelector<HTMLElement>(".stage")!;
    const input = document.querySelector<HTMLInputElement>("[data-testid=file]")!;
    const answered = new Promise<void>((resolve) => {
      let isAsked = false;
      new MutationObserver((_, observer) => {
        isAsked ||= stage.dataset.phase === "asking";
        if (!isAsked || stage.dataset.phase !== "answered") return;
        observer.disconnect();
        resolve();
      }).observe(stage, { attributes: true, attributeFilter: ["data-phase"] });
    });
    const began = performance.now();
    input.files = given.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    await answered;
    // A frame is painted after its callbacks: at the latest when the next task runs.
    await new Promise<void>((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    return performance.now() - began;
  }, image);
}

/** In the page: scrolls the list to its end in five seconds; gives the time of each frame and of each long task. */
async function scroll(): Promise<{ frames: number[]; longTasks: number[] }> {
  const longTasks: number[] = [];
  new PerformanceObserver((found) => longTasks.push(...found.getEntries().map(({ duration }) => duration))).observe({ type: "longtask" });
  const scroller = document.querySelector(".scroller")!;
  const end = scroller.scrollHeight - scroller.clientHeight;
  const frames: number[] = [];
  const began = performance.now();
  let last = began;
  for (;;) {
    const now = await new Promise<number>((resolve) => requestAnimationFrame(resolve));
    frames.push(now - last);
    last = now;
    if (now - began > 5000) break;
    scroller.scrollTo(0, (end * Math.max(0, now - began)) / 5000);
  }
  return { frames: frames.slice(1), longTasks };
}

function line(values: number[]): string {
  const sorted = [...values].sort((one, other) => one - other);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(1);
  return `median ${at(0.5)}, p95 ${at(0.95)}, most ${at(1)} ms`;
}
