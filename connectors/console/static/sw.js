"use strict";
// Network first, always: a duty team must see what is true. Without a line the last seen copy of the few pages that an
// officer needs is shown, marked as such (app.js). What one person saw is never shown to another: every page names whom
// it was drawn for, and with another name all copies go.
const SHELF = "shell", PAGES = "pages", WHO = "/__who", MOST = 30, PATIENCE = 8000;
const KEPT = /^\/(?:mine|roster|handover|incidents\/[^/]+)?$/;

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const shelf = await caches.open(SHELF);
    await shelf.addAll([...SHELL, "/offline"]);
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    const shelf = await caches.open(SHELF), wanted = new Set([...SHELL, "/offline"]);
    for (const kept of await shelf.keys()) {
      const at = new URL(kept.url);
      if (!wanted.has(at.pathname + at.search)) await shelf.delete(kept);
    }
    await self.clients.claim();
  })());
});

self.addEventListener("fetch", (event) => {
  const asked = event.request, at = new URL(asked.url);
  if (asked.method !== "GET" || at.origin !== self.location.origin) return;
  if (at.pathname.startsWith("/static/")) event.respondWith(still(asked));
  else if (asked.mode === "navigate") event.respondWith(page(asked, at));
});

// a file with a mark of its content never changes
async function still(asked) {
  return (await caches.match(asked, { cacheName: SHELF })) || fetch(asked);
}

async function page(asked, at) {
  const control = new AbortController(), copied = KEPT.test(at.pathname);
  const tooLong = setTimeout(() => { if (copied) control.abort(); }, PATIENCE); // a slow report has no copy to show instead
  try {
    const answer = await fetch(asked, { signal: control.signal });
    // a device without room must not hide what is true; no old copy stays, whose ever it was
    await keep(asked, at, answer.clone()).catch((fault) => { if (control.signal.aborted) throw fault; return caches.delete(PAGES); });
    return answer;
  } catch {
    return (await copy(asked)) || (await caches.match("/offline", { cacheName: SHELF })) || Response.error();
  } finally { clearTimeout(tooLong); }
}

async function keep(asked, at, answer) {
  const who = answer.headers.get("Huiying-Me");
  if (who === null) return; // no page of ours: a download, a fault before the page
  if (!(await same(who))) await forget(who);
  if (answer.status !== 200 || !who || !KEPT.test(at.pathname) || at.search) return;
  const pages = await caches.open(PAGES), headers = new Headers(answer.headers);
  headers.set("Kept-At", String(Date.now()));
  await pages.delete(asked, { ignoreVary: true });
  await pages.put(asked, new Response(await answer.blob(), { status: 200, headers }));
  const names = await pages.keys();
  for (const old of names.slice(0, Math.max(0, names.length - MOST))) await pages.delete(old);
}

async function same(who) {
  const known = await caches.match(WHO, { cacheName: SHELF });
  return known !== undefined && (await known.text()) === who;
}

// another person sits here now, or nobody: no page of the one before stays. What nobody has sent yet stays while nobody is
// signed in (a session may just have ended), and goes when somebody else is.
async function forget(who) {
  await caches.delete(PAGES);
  const left = who ? await self.huiying.all() : [];
  await Promise.all(left.filter((item) => item.person !== who).map((item) => self.huiying.drop(item.n)));
  await (await caches.open(SHELF)).put(WHO, new Response(who));
}

// the last seen copy, with the moment it was seen written into it
async function copy(asked) {
  const kept = await caches.match(asked, { cacheName: PAGES, ignoreVary: true });
  if (!kept) return undefined;
  const text = await kept.text(), headers = new Headers(kept.headers);
  headers.delete("Content-Encoding"); headers.delete("Content-Length");
  const marked = text.replace("<html ", `<html data-copy="${Number(kept.headers.get("Kept-At"))}" `);
  return new Response(marked, { status: 200, headers });
}

self.addEventListener("sync", (event) => {
  if (event.tag === "huiying-acts") event.waitUntil(self.huiying.flush());
});
