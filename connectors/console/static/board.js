"use strict";
// The board: what changed comes in over the one stream of events and takes the place of what it was; further
// stretches of the list are fetched when their place comes into view, and emptied again when they are far away.
(() => {
  const NEAR = "1600px", LATER = 1200, TURN = 15000;
  let pressed = false, waiting = null, stale = 0, asking = false;
  const list = () => document.getElementById("b-list");
  const live = () => document.getElementById("live");
  const windows = () => [...document.querySelectorAll("#b-list > .window")];
  const address = (offset) => {
    const query = new URLSearchParams(live().dataset.query);
    query.set("offset", offset);
    return `/fragments/board/rows?${query}`;
  };

  function made(html) {
    const box = document.createElement("template");
    box.innerHTML = html; // what the server has escaped, as htmx would put it in
    return box.content;
  }

  // ── what has changed ──

  function apply(told) {
    const focus = document.activeElement && document.activeElement.id;
    for (const [id, html] of Object.entries(told.parts)) id.startsWith("i-") ? row(id, html) : side(id, html);
    arrange(told.order);
    list().dataset.found = told.found;
    number();
    stamp(told.now);
    if (focus && document.activeElement === document.body) { const el = document.getElementById(focus); if (el) el.focus({ preventScroll: true }); }
    htmx.trigger(document.body, "htmx:afterSwap", {});
    if (windows().length > 1) later();
    turn(true);
  }

  function side(id, html) {
    const box = document.getElementById(id);
    if (!box) return;
    const open = [...box.querySelectorAll("details[open]")].map((el) => el.id);
    box.replaceChildren(made(html));
    for (const one of open) { const el = document.getElementById(one); if (el) el.open = true; }
    htmx.process(box);
  }

  function row(id, html) {
    const old = document.getElementById(id), fresh = made(html).querySelector("article");
    if (!old || !fresh) { if (fresh) coming.set(id, fresh); return; }
    old.replaceWith(fresh);
    htmx.process(fresh);
  }

  // the rows of the first stretch in their order; what is new comes in, what is no longer there goes
  const coming = new Map();
  function arrange(order) {
    const home = windows()[0], wanted = new Set(order);
    if (!home) { htmx.trigger("#live", "refresh"); return; }
    for (const el of [...home.children]) if (!wanted.has(el.id)) el.remove();
    let lost = false;
    order.forEach((id, at) => {
      let el = document.getElementById(id);
      if (!el && coming.has(id)) { el = coming.get(id); }
      if (!el) { lost = true; return; }
      if (home.children[at] !== el) { home.insertBefore(el, home.children[at] || null); htmx.process(el); }
    });
    coming.clear();
    if (lost || !order.length || document.querySelector("#live .empty")) htmx.trigger("#live", "refresh");
  }

  function stamp(now) {
    const el = document.getElementById("now");
    if (el) { el.dataset.now = now; el.setAttribute("datetime", now); }
  }

  function number() {
    const found = Number(list().dataset.found);
    for (const box of windows()) [...box.children].forEach((el, at) => {
      el.setAttribute("aria-posinset", Number(box.dataset.offset) + at + 1);
      el.setAttribute("aria-setsize", found);
    });
  }

  document.addEventListener("htmx:sseBeforeMessage", (event) => {
    if (event.target.id !== "b-line") return;
    event.preventDefault();
    const told = JSON.parse(event.detail.data);
    // never take a button away from under a finger
    if (pressed) waiting = waiting ? { ...told, parts: { ...waiting.parts, ...told.parts } } : told;
    else apply(told);
  });
  window.addEventListener("pointerdown", () => { pressed = true; });
  for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, () => setTimeout(() => {
    pressed = false;
    if (waiting) { const told = waiting; waiting = null; apply(told); }
  }, 60));

  // ── further stretches ──

  const ahead = new IntersectionObserver((seen) => { if (seen.some((one) => one.isIntersecting)) more(); }, { rootMargin: NEAR });
  const around = new IntersectionObserver((seen) => { for (const one of seen) one.isIntersecting ? refill(one.target) : hollow(one.target); }, { rootMargin: "6000px" });

  async function fetched(offset, mark) {
    const headers = mark ? { "If-None-Match": `"${mark}"` } : {};
    const answer = await fetch(address(offset), { headers, cache: "no-store" });
    if (answer.status === 304) return null;
    if (!answer.ok) throw new Error(String(answer.status));
    return made(await answer.text());
  }

  async function more() {
    const sign = document.querySelector("#b-more > .more");
    if (!sign || asking) return;
    asking = true;
    list().setAttribute("aria-busy", "true");
    try {
      const came = await fetched(sign.dataset.next, "");
      const shown = new Set([...list().querySelectorAll("article")].map((el) => el.id));
      for (const el of came.querySelectorAll("article")) if (shown.has(el.id)) el.remove();
      list().append(came.querySelector(".window"));
      document.getElementById("b-more").replaceChildren(...came.querySelectorAll(".more"));
    } catch { /* the link stays, and can be followed */ }
    asking = false;
    list().removeAttribute("aria-busy");
    watch();
    htmx.process(list());
    htmx.trigger(document.body, "htmx:afterSwap", {});
  }

  function watch() {
    number();
    ahead.disconnect();
    const sign = document.querySelector("#b-more > .more");
    if (sign) ahead.observe(sign);
    for (const box of windows().slice(1)) around.observe(box);
  }

  function hollow(box) {
    if (box.dataset.hollow || box.contains(document.activeElement)) return;
    box.dataset.hollow = "yes";
    box.style.height = `${box.offsetHeight}px`;
    box.replaceChildren();
  }

  async function refill(box) {
    if (!box.dataset.hollow) return;
    delete box.dataset.hollow;
    try { put(box, await fetched(box.dataset.offset, "")); } catch { box.dataset.hollow = "yes"; return; }
    box.style.height = "";
  }

  function put(box, came) {
    if (!came) return;
    const fresh = came.querySelector(".window");
    box.dataset.mark = fresh.dataset.mark;
    box.replaceChildren(...fresh.children);
    number();
    htmx.process(box);
    htmx.trigger(document.body, "htmx:afterSwap", {});
  }

  // the stretches below the first are asked for again, a while after something has changed
  function later() {
    clearTimeout(stale);
    stale = setTimeout(async () => {
      for (const box of windows().slice(1)) if (!box.dataset.hollow && !pressed && !box.contains(document.activeElement)) {
        try { put(box, await fetched(box.dataset.offset, box.dataset.mark)); } catch { return; }
      }
    }, LATER);
  }

  // ── keys: a feed is walked by page up and page down ──

  document.addEventListener("keydown", (event) => {
    const here = event.target.closest && event.target.closest("#b-list article");
    const step = { PageDown: 1, PageUp: -1 }[event.key];
    if (!here || !step) return;
    const all = [...list().querySelectorAll("article")], next = all[all.indexOf(here) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  });

  // ── the wall: what is late and does not fit is shown by turns ──

  let page = 0, held = false;
  function turn(still) {
    if (!document.body.classList.contains("wall")) return;
    const cards = [...list().querySelectorAll("article")], sign = document.getElementById("b-turn");
    for (const el of cards) el.hidden = false;
    // lengths inside a page that is zoomed for the wall are its own, the window's are not
    const zoom = Number(getComputedStyle(document.body).zoom) || 1;
    const room = (window.innerHeight - list().getBoundingClientRect().top) / zoom - 56;
    const pages = [[]];
    let used = 0;
    for (const el of cards) {
      const tall = el.offsetHeight + 12;
      if (used + tall > room && pages[pages.length - 1].length) { pages.push([]); used = 0; }
      pages[pages.length - 1].push(el);
      used += tall;
    }
    const turning = Math.max(1, pages.filter((some) => some.some((el) => el.classList.contains("late"))).length);
    page = still ? Math.min(page, turning - 1) : (page + 1) % turning;
    for (const el of cards) el.hidden = !pages[page].includes(el);
    sign.hidden = turning < 2;
    sign.textContent = `${page + 1} / ${turning}`;
  }

  function wall() {
    if (!document.body.classList.contains("wall")) return;
    const hold = document.getElementById("b-hold"), full = document.getElementById("b-full");
    hold.addEventListener("click", () => { held = !held; hold.setAttribute("aria-pressed", String(held)); });
    full.addEventListener("click", () => document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen());
    setInterval(() => { if (!held) turn(false); }, TURN);
    window.addEventListener("resize", () => turn(true));
    turn(true);
  }

  document.addEventListener("DOMContentLoaded", () => {
    watch(); wall();
    document.body.addEventListener("htmx:afterSwap", (event) => { if (event.target.id === "live") { watch(); turn(true); } });
  });
})();
