import { readFile } from "node:fs/promises";
import { SERVER } from "./addresses";
import { expect, expectAnswer, open, photo, pick, test, violations } from "./classifier";

const PROGRAMS: [title: string, file: string][] = [
  ["curl", "examples/curl/classify_http.sh"],
  ["Python", "clients/python/examples/classify.py"],
  ["JavaScript", "clients/js/examples/classify.mjs"],
  ["Go", "examples/go/classify.go"],
  ["Rust", "examples/rust/classify.rs"],
  ["CLI", "examples/cli/classify.sh"],
  ["gRPC", "examples/buf/classify.sh"],
  ["gRPC-Web", "examples/curl/classify.sh"],
];

test("the programs are those of the repository, for this server and as many classes as are shown", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page);
  await pick(page, photo("coffee.png"));
  await expectAnswer(page, "espresso");
  await page.getByLabel("Classes shown").selectOption("10");
  await page.getByRole("button", { name: "Use via API" }).click();
  const drawer = page.getByRole("dialog", { name: "Use via API" });
  await expect(drawer).toBeVisible();
  await expect(drawer.getByRole("radio")).toHaveCount(PROGRAMS.length);
  const code = drawer.locator("code");
  for (const [title, file] of PROGRAMS) {
    await drawer.getByRole("radio", { name: title, exact: true }).check();
    const program = await readFile(`../${file}`, "utf8");
    const here = program
      .replaceAll("localhost:50051", new URL(SERVER).host)
      .replace(/(top_?k"?(: |:|=)|--top-k )5\b/i, "$110");
    await expect(code).toHaveText(here, { useInnerText: false });
    expect(await code.textContent(), title).toBe(here);
    await drawer.getByRole("button", { name: /Cop/ }).click();
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText()), title).toBe(here);
    const coloured = await page.evaluate(() => [...CSS.highlights].flatMap(([, ranges]) => [...ranges].map(String)).length);
    expect(coloured, title).toBeGreaterThan(0);
    const clipped = await drawer.locator("pre").evaluate((pre) => pre.scrollWidth > pre.clientWidth);
    expect(clipped, title).toBe(false);
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
