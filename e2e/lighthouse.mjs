// node lighthouse.mjs URL: Lighthouse's scores of the page at URL, with Chromium. Fails if one is below 95.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launch } from "chrome-launcher";
import lighthouse, { desktopConfig } from "lighthouse";

const SCORE_MIN = 95;

const url = process.argv[2] ?? "http://localhost:50051/";
const userDataDir = await mkdtemp(join(tmpdir(), "lighthouse-"));
const chrome = await launch({
  chromePath: process.env.CHROMIUM ?? "/usr/bin/chromium-headless-shell",
  chromeFlags: ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic"],
  userDataDir,
});
let poor = 0;
try {
  for (const [name, config] of Object.entries({ phone: undefined, desktop: desktopConfig })) {
    const { lhr } = await lighthouse(url, { port: chrome.port, logLevel: "error" }, config);
    const scores = Object.values(lhr.categories).map(({ title, score }) => [title, Math.round(100 * score)]);
    poor += scores.filter(([, score]) => score < SCORE_MIN).length;
    const metrics = ["largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift"];
    const measured = metrics.map((id) => `${lhr.audits[id].title} ${lhr.audits[id].displayValue}`);
    console.log(`${name}: ${scores.map((score) => score.join(" ")).join(", ")}; ${measured.join(", ")}`);
    const { details } = lhr.audits["largest-contentful-paint-element"];
    console.log(`  largest: ${details?.items[0]?.items[0]?.node.snippet}`);
    for (const { auditRefs } of Object.values(lhr.categories)) {
      for (const { id, weight } of auditRefs) {
        const { score, title, displayValue = "" } = lhr.audits[id];
        if (weight > 0 && score !== null && score < 0.9) console.log(`  ${id}: ${title} ${displayValue}`);
      }
    }
  }
} finally {
  chrome.kill();
  await rm(userDataDir, { recursive: true, force: true });
}
process.exitCode = poor > 0 ? 1 : 0;
