// Keeps the page's files, so that the page opens without a network. Images and calls never come here: calls are posted,
// and only what FILES names is kept. `cargo xtask page` writes the two constants; without it nothing is kept.
const VERSION = "unversioned";
const FILES = [];

const CACHE = `page-${VERSION}`;

self.addEventListener("install", (event) => {
  const kept = caches.open(CACHE).then((cache) => cache.addAll(FILES));
  event.waitUntil(kept.then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches.keys().then((names) => {
      const older = names.filter((name) => name.startsWith("page-") && name !== CACHE);
      return Promise.all(older.map((name) => caches.delete(name)));
    }),
  );
});

self.addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname } = new URL(url);
  const file = pathname.slice(1) || "./";
  if (method !== "GET" || origin !== self.location.origin || !FILES.includes(file)) return;
  // The page itself comes from the server where there is one, so that a new version is seen at once; its files have the
  // content in their name, or change only with it.
  event.respondWith(mode === "navigate" ? fetched(event.request) : kept(event.request));
});

const fetched = (request) => fetch(request).catch(() => kept(request));

async function kept(request) {
  const cache = await caches.open(CACHE);
  return (await cache.match(request, { ignoreSearch: true })) ?? fetch(request);
}
