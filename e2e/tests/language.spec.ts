import { expect, expectFailure, expectPhase, open, photo, pick, test, violations } from "./classifier";

test("the page speaks English to who reads neither of its languages", async ({ browser, baseURL }) => {
  const page = await browser.newPage({ locale: "de-DE", baseURL });
  await open(page);
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("What does your image show?");
  await page.close();
});

test.describe("with a Russian browser", () => {
  test.use({ locale: "ru-RU" });

  test("the page speaks Russian in every state; classes stay English", async ({ page }) => {
    await open(page);
    await expect(page.locator("html")).toHaveAttribute("lang", "ru");
    await expect(page).toHaveTitle("Что на вашем изображении?");
    await expect(page.getByRole("button", { name: "Выбрать изображение" })).toBeVisible();
    expect(await violations(page)).toEqual([]);

    await pick(page, photo("coffee.png"));
    await expectPhase(page, "answered");
    const label = page.getByRole("region", { name: "Результат" }).getByTestId("label");
    await expect(label).toHaveText("espresso");
    await expect(label).toHaveAttribute("lang", "en");
    await expect(page.getByRole("status")).toHaveText(/^coffee\.png: espresso, 95,\d\s%\.$/);
    expect(await violations(page)).toEqual([]);

    await pick(page, { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no image") });
    await expectFailure(page, "notes.txt: такое изображение страница прочитать не может.");
    expect(await untranslated(page)).toEqual([]);
  });
});

test("the switch changes every text at once, and the choice is kept", async ({ page }) => {
  await open(page);
  await pick(page, { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no image") });
  await expectFailure(page, "notes.txt is not an image");
  await page.getByLabel("Language").selectOption("Русский");
  await expectFailure(page, "notes.txt: такое изображение страница прочитать не может.");
  await expect(page.getByLabel("Язык")).toHaveValue("ru");
  await page.reload();
  await expectPhase(page, "empty");
  await expect(page.locator("html")).toHaveAttribute("lang", "ru");
  await page.getByLabel("Язык").selectOption("English");
  await expect(page.locator("html")).toHaveAttribute("lang", "en");
  await expect(page).toHaveTitle("What does your image show?");
});

/** Texts that are seen or heard and hold an English sentence: two Latin words side by side that are not marked English. */
function untranslated(page: import("@playwright/test").Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const parent = walker.currentNode.parentElement!;
      if (parent.closest('[lang="en"], [hidden], noscript, script, pre, code')) continue;
      const text = walker.currentNode.textContent!.trim();
      if (/[A-Za-z]{3,} [A-Za-z]{2,}/.test(text)) found.push(text);
    }
    for (const element of document.querySelectorAll("[aria-label], [alt], [title], [placeholder]")) {
      for (const name of ["aria-label", "alt", "title", "placeholder"]) {
        const text = element.getAttribute(name) ?? "";
        if (/[A-Za-z]{3,} [A-Za-z]{2,}/.test(text)) found.push(text);
      }
    }
    return found;
  });
}
