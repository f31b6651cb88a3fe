import { readFile } from "node:fs/promises";
import { SERVER } from "./addresses";
import { expect, expectAnswer, open, photo, pick, test, violations } from "./classifier";

const PROGRAMS: [title: string, file: string][] = [
  ["buf curl", "buf/classify.sh"],
  ["curl (gRPC-Web)", "curl/classify.sh"],
  ["JavaScript", "javascript/classify_top.js"],
  ["Python", "python/classify_top.py"],
  ["Go", "go/classify.go"],
  ["Rust", "rust/classify.rs"],
  ["CLI (imageclassifier)", "cli/classify.sh"],
];

test("the programs are those of examples/, for this server and as many classes as are shown", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page);
  await pick(page, photo("coffee.png"));
  await expectAnswer(page, "espresso");
  await page.getByLabel("Classes shown").selectOption("10");
  await page.getByRole("button", { name: "Use via API" }).click();
  const drawer = page.getByRole("dialog", { name: "Use via API" });
  await expect(drawer).toBeVisible();
  await expect(drawer.locator("summary")).toHaveText(PROGRAMS.map(([title]) => title));
  for (const [at, [title, file]] of PROGRAMS.entries()) {
    const part = drawer.locator("details").nth(at);
    if ((await part.getAttribute("open")) === null) await part.locator("summary").click();
    await part.getByRole("button", { name: "Copy" }).click();
    await expect(part.getByRole("button", { name: "Copied" })).toBeVisible();
    const program = await readFile(`../examples/${file}`, "utf8");
    const here = program
      .replaceAll("localhost:50051", new URL(SERVER).host)
      .replace(/(top_?k"?(: |:|=)|--top-k )5\b/i, "$110");
    expect(await page.evaluate(() => navigator.clipboard.readText()), title).toBe(here);
    expect(await part.locator("code").textContent(), title).toBe(here);
  }
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`the drawer opens and closes by keyboard, and axe finds nothing to improve, ${colorScheme}`, async ({ page }) => {
    await page.emulateMedia({ colorScheme });
    await open(page);
    const button = page.getByRole("button", { name: "Use via API" });
    await button.focus();
    await page.keyboard.press("Enter");
    const drawer = page.getByRole("dialog", { name: "Use via API" });
    await expect(drawer.getByRole("button", { name: "Close" })).toBeFocused();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await expect(drawer).toBeHidden();
    await expect(button).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(drawer).toBeVisible();
    await drawer.getByRole("button", { name: "Close" }).click();
    await expect(drawer).toBeHidden();
  });
}
