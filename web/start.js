// Starts the page's program, whose hashed names Trunk writes into the link #program.
const program = document.getElementById("program");

try {
  const { default: start } = await import(program.href);
  await start({ module_or_path: program.dataset.wasm });
} catch (error) {
  document.getElementById("cannot-start").hidden = false;
  throw error;
}

// After the page is there: what it keeps must not slow it down. Where it may not, the page just needs its server.
navigator.serviceWorker?.register("worker.js").catch(() => {});
