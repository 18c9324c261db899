"use strict";
// What a person pressed and the server has not yet taken: kept on this device, each with a key of its own, sent in order
// as soon as there is a line. The page and the service worker share it; the key makes a second sending harmless.
self.huiying = (() => {
  const STORE = "acts", LONGEST = 60000, SHORTEST = 15000;
  const told = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("huiying-acts");

  function open() {
    return new Promise((done, failed) => {
      const asked = indexedDB.open("huiying", 1);
      asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "n", autoIncrement: true });
      asked.onsuccess = () => done(asked.result);
      asked.onerror = () => failed(asked.error);
    });
  }

  async function ask(mode, what) {
    const base = await open();
    try {
      return await new Promise((done, failed) => {
        const trip = base.transaction(STORE, mode), asked = what(trip.objectStore(STORE));
        trip.oncomplete = () => done(asked.result);
        trip.onerror = trip.onabort = () => failed(trip.error);
      });
    } finally { base.close(); }
  }

  const say = () => { if (told) told.postMessage("changed"); };
  const all = () => ask("readonly", (store) => store.getAll());
  const put = async (item) => { const n = await ask("readwrite", (store) => store.put(item)); say(); return n; };
  // what was thrown away meanwhile does not come back
  const renew = async (item) => {
    await ask("readwrite", (store) => {
      const known = store.get(item.n);
      known.onsuccess = () => { if (known.result) store.put(item); };
      return known;
    });
    say();
  };
  const drop = async (n) => { await ask("readwrite", (store) => store.delete(n)); say(); };
  const clear = async () => { await ask("readwrite", (store) => store.clear()); say(); };

  // a key that nobody else makes; randomUUID is there on https alone
  function key() {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("");
  }

  const add = (item) => put({ ...item, key: key(), at: Date.now() });

  function letter(item) {
    const fields = { ...item.fields, by: item.person, waited_s: String(Math.min(604800, Math.max(0, Math.round((Date.now() - item.at) / 1000)))) };
    const home = "/api/v1/incidents/" + encodeURIComponent(item.incident);
    if (!item.file) {
      return [home + "/acts/" + item.act, { headers: { "Content-Type": "application/json" }, body: JSON.stringify(fields) }];
    }
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.append(name, value);
    form.append("file", item.file, item.name || "photo.jpg");
    return [home + "/evidence", { headers: {}, body: form }];
  }

  // a network that asks for its own login answers in the system's place, and would be taken for it
  const ours = (answer) => !answer.redirected && (answer.headers.get("Content-Type") || "").startsWith("application/json");

  // "done", or in words why not; throws when there was no line
  async function post(item) {
    const [url, options] = letter(item);
    const control = new AbortController();
    const patience = setTimeout(() => control.abort(), item.file ? LONGEST : SHORTEST);
    options.headers["Idempotency-Key"] = item.key;
    try {
      const answer = await fetch(url, { method: "POST", credentials: "same-origin", signal: control.signal, ...options });
      if (answer.ok && ours(answer)) return { done: true };
      if (answer.ok || answer.status >= 500 || answer.status === 408 || answer.status === 429) throw new Error("not now");
      const words = await answer.json().then((said) => said.error, () => "");
      if (answer.status === 401) return { held: words || String(answer.status) };
      return { refused: words || String(answer.status) };
    } finally { clearTimeout(patience); }
  }

  async function inTurn() {
    let sent = 0;
    for (const item of await all()) {
      if (item.done || item.refused) continue;
      let said;
      try { said = await post(item); } catch { await renew({ ...item, tried: Date.now() }); return sent; }
      if (said.held) { await renew({ ...item, held: said.held }); return sent; }
      if (said.done) { sent += 1; await renew({ ...item, file: null, done: Date.now(), held: "" }); }
      else await renew({ ...item, refused: said.refused, held: "" });
    }
    return sent;
  }

  let going = null;
  // one after the other, and in one place at a time: page, other page or worker
  function flush() {
    const locks = self.navigator && navigator.locks;
    const go = () => (locks ? locks.request("huiying-acts", inTurn) : inTurn());
    going = (going || Promise.resolve()).then(go, go);
    return going;
  }

  return { add, all, drop, clear, flush, renew, told };
})();
