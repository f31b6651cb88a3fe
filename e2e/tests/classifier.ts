import { type Page, expect, test as base } from "@playwright/test";
import axe from "axe-core";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Server } from "./server";

/** Starts a server with these options, for one test; gives its URL. */
export type Serve = (...options: string[]) => Promise<string>;

/** A test of a page that must not complain on the console nor throw, but for what the test says it provokes. */
export const test = base.extend<{ provoked: RegExp; complaints: void; serve: Serve }>({
  provoked: [/^$/, { option: true }],
  complaints: [
    async ({ context, provoked }, use) => {
      const complaints: string[] = [];
      context.on("weberror", (thrown) => complaints.push(String(thrown.error())));
      context.on("console", (message) => {
        if (message.text() === "Service Worker registration blocked by Playwright") return;
        if (["error", "warning"].includes(message.type())) complaints.push(message.text());
      });
      await use();
      expect(complaints.filter((complaint) => !provoked.test(complaint))).toEqual([]);
    },
    { auto: true },
  ],
  serve: async ({}, use) => {
    const servers: Server[] = [];
    await use(async (...options) => {
      const server = await Server.start(options);
      servers.push(server);
      return server.url;
    });
    servers.forEach((server) => server.stop());
  },
});

export { expect };

/** Path of one of the photographs whose answers are known. */
export function photo(name: string): string {
  return fileURLToPath(new URL(`../../model/tests/golden/photos/${name}`, import.meta.url));
}

/** Writes a file into the test's folder and returns its path. The browser reads it itself, whereas bytes are sent to it as text,
 * which takes seconds when there are many. */
export function temporaryFile(name: string, bytes: Buffer): string {
  const path = test.info().outputPath(name);
  writeFileSync(path, bytes);
  return path;
}

export async function open(page: Page, url = "/") {
  await page.goto(url);
  await expectPhase(page, "empty");
}

export async function expectPhase(page: Page, phase: "empty" | "asking" | "answered" | "failed" | "cancelled" | "shared") {
  // Of the program: the static page has no `data-hovering`.
  await expect(page.locator(".stage[data-hovering]")).toHaveAttribute("data-phase", phase);
}

/** Gives the page a file by its picker's input. */
export async function pick(page: Page, file: string | { name: string; mimeType: string; buffer: Buffer }) {
  await page.getByTestId("file").setInputFiles(file);
}

/** Chooses a tab of the image. */
export async function show(page: Page, view: "Original" | "Model input" | "Heatmap") {
  await page.getByRole("radio", { name: view }).check();
}

/** The answer names `label`, shows five guesses, the best first, and can be heard. */
export async function expectAnswer(page: Page, label: string) {
  await expectPhase(page, "answered");
  const answer = page.getByRole("region", { name: "Result" });
  await expect(answer.getByRole("heading")).toHaveText(label);
  await expect(page.getByRole("status")).toContainText(`: ${label}, `);

  const meters = answer.getByRole("meter");
  await expect(meters).toHaveCount(5);
  await expect(meters.first()).toHaveAccessibleName(label);
  const values = await meters.evaluateAll((found) => found.map((meter) => (meter as HTMLMeterElement).value));
  expect(values).toEqual([...values].sort((one, other) => other - one));
  expect(values[0]).toBeGreaterThan(0);
}

/** The page says why there is no answer, as an alert, and shows none. */
export async function expectFailure(page: Page, sentence: string | RegExp) {
  await expectPhase(page, "failed");
  await expect(page.getByRole("alert")).toContainText(sentence);
  await expect(page.getByRole("meter")).toHaveCount(0);
}

export async function expectNoSidewaysScroll(page: Page) {
  const [content, window] = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return [scrollWidth, clientWidth];
  });
  expect(content).toBe(window);
}

/** What axe would improve, once no colour is on its way to another. */
export async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  await page.waitForFunction(() => !document.getAnimations().some((animation) => animation instanceof CSSTransition));
  const found = await page.evaluate(() => (window as unknown as { axe: typeof axe }).axe.run());
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
}
