import type { Page, Request } from "@playwright/test";
import { expect, expectAnswer, expectFailure, open, photo, pick, test, violations } from "./classifier";

const REQUIRED = "This server requires an access token. Enter yours, or ask the administrator for one.";
const REJECTED = "The server rejected this access token.";
const OPTIONS = ["--token-file", "tests/access-tokens"];

test("the page asks for an access token, accepts it from the keyboard, and keeps it for the tab", async ({ page, context, serve }) => {
  const requests: Request[] = [];
  const exposed: string[] = [];
  page.on("request", (request) => {
    exposed.push(request.url());
    if (request.method() === "POST") requests.push(request);
  });
  page.on("console", (message) => exposed.push(message.text()));
  const url = await serve(...OPTIONS);
  await open(page, url);
  await pick(page, photo("coffee.png"));
  await expectFailure(page, REQUIRED);
  const field = page.getByLabel("Access token");
  await expect(field).toBeFocused();
  await expect(field).toHaveAttribute("type", "password");
  await expect(field).toHaveAccessibleDescription(`${REQUIRED} Kept until you close this tab.`);

  await page.keyboard.type("guess");
  await page.keyboard.press("Enter");
  await expectFailure(page, REJECTED);
  await expect(field).toBeFocused();
  await expect(field).toHaveValue("");
  expect(await kept(page)).toEqual([]);

  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.evaluate(() => navigator.clipboard.writeText("secret"));
  await page.keyboard.press("Control+V");
  await expect(field).toHaveValue("secret");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "Use token and try again" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("region", { name: "Result" })).toBeFocused();
  await expectAnswer(page, "espresso");
  await expect(field).toHaveCount(0);
  expect(await kept(page)).toEqual(["secret"]);

  requests.length = 0;
  await page.reload();
  await pick(page, photo("coffee.png"));
  await expectAnswer(page, "espresso");
  expect(requests.map((request) => new URL(request.url()).pathname.split("/").pop()).sort()).toEqual(["Classify", "GetModel", "ListModels"]);
  for (const request of requests) expect(await request.headerValue("authorization")).toBe("Bearer secret");

  expect(exposed.filter((text) => text.includes("secret"))).toEqual([]);
  await expect(page).toHaveURL(url);
});

test("an access token is forgotten when the server rejects it", async ({ page, serve }) => {
  await open(page, await serve(...OPTIONS));
  await pick(page, photo("coffee.png"));
  await enter(page, "secret");
  await expectAnswer(page, "espresso");
  await page.evaluate(() => sessionStorage.setItem(Object.keys(sessionStorage)[0], "outdated"));
  await page.reload();
  await pick(page, photo("coffee.png"));
  await expectFailure(page, REJECTED);
  expect(await kept(page)).toEqual([]);
  await page.reload();
  await pick(page, photo("coffee.png"));
  await expectFailure(page, REQUIRED);
});

test("what cannot be an access token is not sent", async ({ page, serve }) => {
  await open(page, await serve(...OPTIONS));
  await pick(page, photo("coffee.png"));
  await enter(page, "two words");
  await expectFailure(page, "This cannot be an access token: it has a space or an invalid character. Copy it again.");
  await enter(page, " secret ");
  await expectAnswer(page, "espresso");
});

test("another image can be chosen while a token is asked for", async ({ page, serve }) => {
  await open(page, await serve(...OPTIONS));
  await pick(page, photo("coffee.png"));
  await expectFailure(page, REQUIRED);
  await page.getByRole("button", { name: "Cat", exact: true }).click();
  await expectFailure(page, REQUIRED);
  await enter(page, "secret");
  await expectAnswer(page, "tiger cat");
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`axe finds nothing to improve where a token is asked for, ${colorScheme}`, async ({ page, serve }) => {
    await page.emulateMedia({ colorScheme });
    await open(page, await serve(...OPTIONS));
    await pick(page, photo("coffee.png"));
    await expectFailure(page, REQUIRED);
    expect(await violations(page)).toEqual([]);
  });
}

async function enter(page: Page, token: string) {
  await page.getByLabel("Access token").fill(token);
  await page.getByRole("button", { name: "Use token and try again" }).click();
}

/** What the tab remembers. */
function kept(page: Page): Promise<string[]> {
  return page.evaluate(() => Object.values(sessionStorage) as string[]);
}
