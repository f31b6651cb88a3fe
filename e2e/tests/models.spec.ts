import type { Page } from "@playwright/test";
import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { expect, expectAnswer, expectNoSidewaysScroll, expectPhase, open, photo, pick, test, violations } from "./classifier";
import { CLI, Models, unseen } from "./patterns";
import { expectDone, row, save } from "./table";

test.describe.configure({ mode: "default" }); // one worker, so that the model is trained once
let models: Models;

test.beforeAll(() => {
  test.setTimeout(120_000);
  models = new Models();
});

test.afterAll(() => models.remove());

test("a server with one model has no menu", async ({ page }) => {
  await open(page);
  await pick(page, photo("coffee.png"));
  await expectAnswer(page, "espresso");
  await expect(page.getByLabel("Model", { exact: true })).toHaveCount(0);
});

test("the chosen model classifies the image shown and is kept for the tab", async ({ page, serve }) => {
  await open(page, await serve("--models", models.path));
  const menu = page.getByLabel("Model", { exact: true });
  await expect(menu.getByRole("option")).toHaveText(["efficientnet-lite0", "patterns"]); // not the broken one
  await expect(menu).toHaveValue("efficientnet-lite0");
  await expect(menu).toHaveAccessibleDescription("1000 classes");
  await pick(page, unseen("stripes"));
  await expectPhase(page, "answered");

  await menu.selectOption("patterns");
  await expect(menu).toHaveAccessibleDescription("2 classes: squares, stripes");
  const result = page.getByRole("region", { name: "Result" });
  await expect(result.getByRole("heading")).toHaveText("stripes");
  await expect(result.getByRole("meter")).toHaveCount(2);
  await expect(page.getByLabel("Classes shown")).toHaveCount(0); // there are no more
  await expect(page.getByRole("button", { name: "Synonyms" })).toBeHidden(); // a trained class has one name
  await expect(page.getByRole("status")).toHaveText(/^stripes\.png: stripes, \d+\.\d%\.$/);
  await page.getByTestId("details").locator("summary").click();
  await expect(detail(page, "Model")).toHaveText("patterns");
  await expect(detail(page, "Similarity to the closest class")).toHaveText(/^[01]\.\d\d$/);
  await expect(detail(page, "SHA-256 of the weights")).toHaveText(/^[0-9a-f]{64}$/);

  await page.getByRole("button", { name: "Use via API" }).click();
  for (const [program, names] of [["curl", "&model=patterns"], ["Python", 'model="patterns"'], ["CLI", "--model patterns"]]) {
    await page.getByRole("radio", { name: program, exact: true }).check();
    await expect(page.getByRole("dialog").locator("code")).toContainText(names);
  }

  await page.reload();
  await expect(menu).toHaveValue("patterns");
  await pick(page, unseen("squares"));
  await expect(result.getByRole("heading")).toHaveText("squares");
});

test("an unknown image is named so, in words", async ({ page, serve }) => {
  await open(page, await serve("--models", models.path));
  await choosePatterns(page);
  await pick(page, photo("coffee.png"));
  await expectPhase(page, "answered");
  const result = page.getByRole("region", { name: "Result" });
  await expect(result.getByRole("heading")).toHaveText("Unknown");
  const sentence = /This resembles none of the model's classes\. Closest: (squares|stripes), \d+\.\d%\./;
  await expect(page.getByTestId("unsure")).toHaveText(sentence);
  await expect(page.getByRole("status")).toHaveText(new RegExp(`^coffee\\.png: Unknown\\. ${sentence.source}$`));
  await expect(page.getByRole("alert")).toBeEmpty();
  await page.getByLabel("Language").selectOption("Русский");
  await expect(page.getByRole("region", { name: "Результат" }).getByRole("heading")).toHaveText("Неизвестно");
  await expect(page.getByTestId("unsure")).toContainText("Это не похоже ни на один класс модели. Ближе всего: ");
});

test("a link to an unknown result says so and chooses its model", async ({ page, context, serve }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await open(page, await serve("--models", models.path));
  await choosePatterns(page);
  await pick(page, photo("coffee.png"));
  await expect(page.getByTestId("unsure")).toBeVisible();
  await page.getByRole("button", { name: "Copy link" }).click();
  await expect(page.getByRole("status")).toHaveText("Copied");
  const link = await page.evaluate(() => navigator.clipboard.readText());

  const other = await context.newPage();
  await other.goto(link);
  await expectPhase(other, "shared");
  await expect(other.getByRole("region", { name: "Result" }).getByRole("heading")).toHaveText("Unknown");
  await expect(other.getByTestId("unsure")).toContainText("This resembles none of the model's classes.");
  await expect(other.getByLabel("Model", { exact: true })).toHaveValue("patterns");
  await other.getByRole("link", { name: "Try an image of your own" }).click();
  await pick(other, unseen("stripes"));
  await expect(other.getByRole("region", { name: "Result" }).getByRole("heading")).toHaveText("stripes");
});

test("a batch is classified with the chosen model, again when another is chosen", async ({ page, serve }) => {
  await open(page, await serve("--models", models.path));
  const notes = { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no image") };
  await page.getByTestId("file").setInputFiles([unseen("squares"), unseen("stripes"), await coffee(), notes]);
  await expectDone(page, "4 of 4 images done, 1 failed");
  await expect(row(page, "coffee.png")).toContainText("espresso");

  await choosePatterns(page);
  await expectDone(page, "4 of 4 images done, 1 unknown, 1 failed");
  await expect(page.getByRole("status")).toContainText("4 of 4 images done, 1 unknown, 1 failed");
  await expect(row(page, "stripes.png")).toContainText("stripes");
  await expect(row(page, "coffee.png")).toContainText(/unknown \(closest: (squares|stripes)\)/);
  await page.getByTestId("batch").getByLabel("Show").selectOption("unknown");
  await expect(page.getByTestId("batch").locator("[role=row][data-state]")).toHaveCount(1);
  await expect(row(page, "coffee.png")).toBeVisible();
});

test("saved doubts equal those of the command line", async ({ page, serve }) => {
  const url = await serve("--models", models.path);
  await open(page, url);
  await choosePatterns(page);
  await page.getByTestId("file").setInputFiles([await coffee(), unseen("stripes")]);
  await expectDone(page, "2 of 2 images done, 1 unknown");
  const ours = JSON.parse((await save(page, "Save JSON")).split("\n")[0]);
  const [head, line] = (await save(page, "Save CSV")).split("\n").map((line) => line.split(","));

  const said = (form: string) =>
    execFileSync(CLI, ["classify", form, "--model", "patterns", "--server", url, photo("coffee.png")], { encoding: "utf8" });
  const theirs = JSON.parse(said("--json"));
  expect([ours.unknown, ours.known_score]).toEqual([true, theirs.known_score]);
  expect(head).toEqual(said("--csv").split("\n")[0].split(","));
  expect(line.slice(-2)).toEqual(["true", String(theirs.known_score)]);
});

test("a model that the server no longer has is left", async ({ page, serve }) => {
  await page.addInitScript(() => sessionStorage.setItem("imageclassifier.model", "removed"));
  await page.route("**/ListModels", () => {}); // the page has no list yet
  await open(page, await serve("--models", models.path));
  await pick(page, photo("coffee.png"));
  await expectPhase(page, "failed");
  await expect(page.getByRole("alert")).toContainText("The server no longer has this model. Try again with another one.");
  await page.getByRole("button", { name: "Try again" }).click();
  await expectAnswer(page, "espresso");
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing to improve with several models, ${colorScheme}`, async ({ page, serve }) => {
    await page.emulateMedia({ colorScheme });
    await open(page, await serve("--models", models.path));
    await choosePatterns(page);
    expect(await violations(page)).toEqual([]);
    await pick(page, photo("coffee.png"));
    await expect(page.getByTestId("unsure")).toBeVisible();
    await page.getByTestId("details").locator("summary").click();
    expect(await violations(page)).toEqual([]);
    await page.getByTestId("file").setInputFiles([photo("coffee.png"), photo("rocket.jpg")]);
    await expectDone(page, "2 of 2 images done, 2 unknown");
    expect(await violations(page)).toEqual([]);
  });
}

test("a phone shows the menu and an unknown image without sideways scrolling", async ({ page, serve }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await open(page, await serve("--models", models.path));
  await choosePatterns(page);
  await pick(page, photo("coffee.png"));
  await expect(page.getByTestId("unsure")).toBeVisible();
  await page.getByTestId("details").locator("summary").click();
  await expectNoSidewaysScroll(page);
  await page.getByTestId("file").setInputFiles([photo("coffee.png"), photo("rocket.jpg")]);
  await expectDone(page, "2 of 2 images done, 2 unknown");
  await expectNoSidewaysScroll(page);
  await page.getByLabel("Language").selectOption("Русский");
  await expectDone(page, "Готово 2 из 2 изображений, неизвестно: 2");
  await expectNoSidewaysScroll(page);
});

async function choosePatterns(page: Page) {
  await page.getByLabel("Model", { exact: true }).selectOption("patterns");
  await expect(page.getByTestId("classes")).toHaveText("2 classes: squares, stripes");
}

async function coffee() {
  return { name: "coffee.png", mimeType: "image/png", buffer: await readFile(photo("coffee.png")) };
}

function detail(page: Page, term: string) {
  return page.getByTestId("details").locator(`dt:text-is("${term}") + dd`);
}
