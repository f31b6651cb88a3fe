import type { Page } from "@playwright/test";
import { expect, expectAnswer, expectFailure, expectPhase, photo, pick, test } from "./classifier";

test("the page says what it may do, and does no more", async ({ page }) => {
  const violations = await watch(page);
  const document = await page.goto("/");
  expect(document!.headers()).toMatchObject({
    "content-security-policy":
      "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob:; " +
      "connect-src 'self' https:; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
  });
  await expectPhase(page, "empty");
  await pick(page, photo("coffee.png"));
  await expectAnswer(page, "espresso");
  await page.getByRole("button", { name: "Cat", exact: true }).click();
  await expectAnswer(page, "tiger cat");
  await pick(page, { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no image") });
  await expectFailure(page, "notes.txt");
  expect(await page.locator("script:not([src]), style, [style]").count()).toBe(0);
  expect(violations).toEqual([]);
});

test.describe("what the policy forbids", () => {
  test.use({ provoked: /Content Security Policy/ });

  test("inline scripts and styles do nothing", async ({ page }) => {
    const violations = await watch(page);
    await page.goto("/");
    await expectPhase(page, "empty");
    await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "document.title = 'taken over'";
      const style = document.createElement("style");
      style.textContent = "h1 { display: none }";
      document.head.append(script, style);
    });
    await expect.poll(() => violations.sort()).toEqual(["script-src-elem", "style-src-elem"]);
    await expect(page).toHaveTitle("What does your image show?");
    await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
  });
});

/** The directives that the page violates from now on. */
async function watch(page: Page): Promise<string[]> {
  const violations: string[] = [];
  await page.exposeFunction("onViolation", (directive: string) => violations.push(directive));
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => {
      (window as unknown as { onViolation: (directive: string) => void }).onViolation(effectiveDirective);
    });
  });
  return violations;
}
