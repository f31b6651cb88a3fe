// Keeps the page's files, so that the page opens without a network. Requests with images are not kept: they are posted, and only
// what FILES names is kept. Images come here only if another app shares them with the installed page; they are kept until it has
// opened. `cargo xtask page` writes the two constants; without it nothing is kept.
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
  if (method === "POST" && origin === self.location.origin && pathname === "/share") {
    event.respondWith(putAside(event.request));
    return;
  }
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

/** What was shared, for extras.js to hand over. */
async function putAside(request) {
  const form = await request.formData();
  const cache = await caches.open("shared");
  const files = form.getAll("images").filter((file) => file.size > 0);
  for (const [at, file] of files.entries()) {
    const headers = { "content-type": file.type, "x-file-name": encodeURIComponent(file.name) };
    await cache.put(`shared/${at}`, new Response(file, { headers }));
  }
  if (!files.length) await cache.put("shared/text", new Response(form.get("url") || form.get("text") || ""));
  return Response.redirect("./?shared", 303);
}
