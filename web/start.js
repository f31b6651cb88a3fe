// Starts the page's program, whose hashed names Trunk writes into the link #program.
const program = document.getElementById("program");

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

// After the page is there: what it keeps must not slow it down. Where it may not, the page just needs its server.
navigator.serviceWorker?.register("worker.js").catch(() => {});
