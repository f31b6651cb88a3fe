import { type Locator, type Page, expect } from "@playwright/test";
import { readFile } from "node:fs/promises";

/** The batch's title, which says how far it is. */
export async function expectDone(page: Page, title: string, timeout?: number) {
  await expect(page.getByTestId("batch").getByRole("heading")).toHaveText(title, { timeout });
}

export function row(page: Page, name: string): Locator {
  return page.locator("[role=row][data-state]", { has: page.getByRole("button", { name, exact: true }) });
}

/** Text of the file that a button saves. */
export async function save(page: Page, button: string): Promise<string> {
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: button }).click();
  return readFile(await (await download).path(), "utf8");
}
