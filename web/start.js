// Starts the page's program, whose hashed names Trunk writes into the link #program.
const program = document.getElementById("program");

// The theme that was chosen in the menu, and whether a page may read the clipboard: before the program is there, so that nothing
// changes then.
const { dataset } = document.documentElement;
try {
  dataset.theme = localStorage.getItem("imageclassifier.theme") ?? "";
} catch {
  // Storage is disabled: the browser's own setting stands.
}
if (navigator.clipboard?.read) dataset.paste = "true";

// The static page is painted first, and nothing else loads until then. Not all browsers report that moment, and a hidden tab
// paints nothing.
const PAINT = "largest-contentful-paint";
const tellsPaints = globalThis.PerformanceObserver?.supportedEntryTypes?.includes(PAINT) && !document.hidden;
const shown = tellsPaints && Promise.race([
  new Promise((done) => new PerformanceObserver(done).observe({ type: PAINT, buffered: true })),
  new Promise((done) => setTimeout(done, 1000)), // hidden meanwhile
]);

try {
  const { default: start } = await import(program.href);
  await shown;
  await start({ module_or_path: program.dataset.wasm });
} catch (error) {
  document.getElementById("cannot-start").hidden = false;
  throw error;
}

// Loaded last so that they do not delay the program. Without the service worker the page only works online.
import("./extras.js");
navigator.serviceWorker?.register("worker.js").catch(() => {});
