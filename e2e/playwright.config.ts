import { defineConfig } from "@playwright/test";
import { ALLOWED_ORIGIN, OTHER_ORIGIN, SERVER } from "./tests/addresses";
import { BINARY } from "./tests/server";

// The page of ../examples/javascript, as one would try it: served from somewhere else than the server.
const foreignPage = (origin: string) => ({
  command: `npm run page --silent -- --serve=${new URL(origin).host} --log-level=warning`,
  cwd: "../examples/javascript",
  url: origin,
});

export default defineConfig({
  testDir: "tests",
  globalSetup: "./tests/global-setup.ts",
  fullyParallel: true,
  forbidOnly: !!process.env.CI,
  workers: 2, // each has its browser; the server shares the same cores
  timeout: 30_000,
  expect: { timeout: 10_000 },
  reporter: "line",
  use: {
    baseURL: SERVER,
    serviceWorkers: "block", // what it keeps would hide what a test intercepts; offline.spec.ts allows it
    screenshot: "only-on-failure",
  },
  projects: [
    {
      name: "chromium",
      testIgnore: "firefox.spec.ts",
      use: {
        launchOptions: {
          executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium-headless-shell",
          args: ["--disable-gpu", "--disable-quic"],
        },
      },
    },
    {
      name: "firefox",
      testMatch: "firefox.spec.ts",
      // Firefox as it is released, driven by WebDriver BiDi, not Playwright's own build.
      use: {
        browserName: "firefox",
        channel: "moz-firefox",
        launchOptions: { executablePath: process.env.FIREFOX ?? "/usr/bin/firefox-esr" },
      },
    },
  ],
  webServer: [
    {
      command: `exec "${BINARY}" --listen 127.0.0.1:${new URL(SERVER).port} --cors-origin ${ALLOWED_ORIGIN} --log warn`,
      url: SERVER,
    },
    foreignPage(ALLOWED_ORIGIN),
    foreignPage(OTHER_ORIGIN),
  ],
});
