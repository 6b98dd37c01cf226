// Keeps the page /verify/ for use without network. The server puts `self.KEPT` before this text: a version (changes with
// every file and with the page, policy included), the files, the languages. Its scope is /verify/; it sees no other page.
//
// What is kept is written once, whole, when the worker is installed: a page from the network goes with files from the
// network, a kept page with the files kept beside it.

const { version, files, languages } = self.KEPT;
const PREFIX = "dosetrail-verify-";
const NAME = `${PREFIX}${version}`;
const PAGE = "/verify/";
const LANGUAGE = `${PAGE}language`; // which language was shown last

async function fill() {
  const cache = await caches.open(NAME);
  await cache.addAll(files.map((url) => new Request(url, { cache: "no-cache" })));
  for (const language of languages) {
    const response = await fetch(PAGE, { credentials: "omit", headers: { "Accept-Language": language }, cache: "no-store" });
    if (!response.ok) throw new Error(`the page answered ${response.status}`);
    await cache.put(`${PAGE}?${language}`, response);
  }
  await self.skipWaiting();
}

async function clear() {
  const others = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== NAME);
  await Promise.all(others.map((name) => caches.delete(name)));
  await self.clients.claim();
}

async function page(request) {
  const cache = await caches.open(NAME);
  try {
    const response = await fetch(request);
    const language = response.headers.get("Content-Language");
    if (response.ok && language) await cache.put(LANGUAGE, new Response(language));
    return response;
  } catch {
    const asked = new URL(request.url).search.slice(1);
    const last = await (await cache.match(LANGUAGE))?.text();
    const language = [asked, last, languages[0]].find((code) => languages.includes(code));
    return cache.match(`${PAGE}?${language}`);
  }
}

async function file(request) {
  try {
    return await fetch(request);
  } catch (error) {
    const kept = await (await caches.open(NAME)).match(request, { ignoreSearch: true });
    if (!kept) throw error;
    return kept;
  }
}

self.addEventListener("install", (event) => event.waitUntil(fill()));
self.addEventListener("activate", (event) => event.waitUntil(clear()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (request.mode === "navigate" && pathname === PAGE) event.respondWith(page(request));
  else if (files.includes(pathname)) event.respondWith(file(request));
});
