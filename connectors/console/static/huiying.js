"use strict";
// Between two updates from the server the page counts down by itself: it knows the site's time
// at one moment and how fast it runs. Everything else on the page comes from the server.
(() => {
  const HOUR = 3600, DAY = 86400;
  let spoken = {};
  const say = (text) => spoken[text] || text; // the page brings our words in its language
  let ahead = "", base = 0, taken = 0, speed = 1, pressed = false, missed = false, opened = [];
  const all = (selector, root) => (root || document).querySelectorAll(selector);
  const siteNow = () => base + (performance.now() - taken) * speed;

  function sync() {
    const stamp = document.getElementById("now");
    if (!stamp) return;
    speed = Number(stamp.dataset.speed) || 1;
    const kept = Number(document.documentElement.dataset.copy); // a copy from before: time has passed since
    const told = Date.parse(stamp.dataset.now) + (kept && !base ? (Date.now() - kept) * speed : 0);
    // a late answer must not turn the clock back; a real jump (more than 3 s) must be followed
    if (!base || told > siteNow() || siteNow() - told > 3000 * speed) { base = told; taken = performance.now(); }
  }

  const two = (n) => String(n).padStart(2, "0");

  function pairs(seconds) {
    const s = Math.floor(Math.abs(seconds));
    const d = Math.floor(s / DAY), h = Math.floor(s / HOUR) % 24, m = Math.floor(s / 60) % 60;
    if (d) return [String(d), say("天"), two(h), say("小时")];
    if (h) return [String(h), say("小时"), two(m), say("分")];
    return [String(m), say("分"), two(s % 60), say("秒")];
  }

  function put(node, text) { if (node && node.textContent !== text) node.textContent = text; }

  function countdown(now) {
    for (const el of all("[data-left]")) {
      const seconds = (Number(el.dataset.due) - now) / 1000;
      el.toggleAttribute("data-late", seconds < 0);
      const parts = [say(seconds < 0 ? "已超" : "剩余"), ...pairs(seconds)];
      parts.forEach((text, at) => put(el.children[at], text));
    }
  }

  function bars(now) {
    for (const svg of all("[data-bar]")) {
      const start = Number(svg.dataset.start), due = Number(svg.dataset.due);
      const width = Math.max(due, now, start + 1) - start;
      const at = (moment) => Math.min(Math.max((moment - start) / width, 0), 1) * 100 + "%";
      const set = (mark, values) => all(mark, svg).forEach((el) => {
        for (const [name, value] of Object.entries(values)) if (el.hasAttribute(name)) el.setAttribute(name, value);
      });
      set("[data-fill]", { width: at(Math.min(now, due)) });
      set("[data-over]", { x: at(due), width: now > due ? (now - due) / width * 100 + "%" : "0%" });
      set("[data-limit]", { x1: at(due), x2: at(due) });
      set("[data-nowline]", { x1: at(now), x2: at(now), cx: at(now) });
      if (now > due) all("[data-tick]", svg).forEach((g) => {
        for (const el of g.children) for (const name of ["cx", "x"]) if (el.hasAttribute(name)) el.setAttribute(name, at(Number(g.dataset.tick)));
      });
    }
  }

  function wall(now) {
    const at = new Date(now + 8 * HOUR * 1000); // one civil time: +08:00
    const time = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`;
    if (document.documentElement.lang === "en") {
      const [day, date, month] = at.toUTCString().replace(",", "").split(" "); // Sat 21 Nov
      return put(document.querySelector("[data-wall]"), `${day} ${Number(date)} ${month} ${time}`);
    }
    const day = "日一二三四五六"[at.getUTCDay()];
    const text = `${at.getUTCMonth() + 1}月${at.getUTCDate()}日 周${day} ${time}`;
    put(document.querySelector("[data-wall]"), text);
  }

  function tick() {
    const now = siteNow();
    countdown(now); bars(now); wall(now);
  }

  function loop() {
    if (!document.hidden) tick();
    setTimeout(loop, speed > 60 ? 200 : 1000 - (siteNow() % 1000) / Math.max(speed, 1));
  }

  // what has just come in is lit for a moment, once
  const seen = new Set();
  function freshen(first) {
    for (const el of all("[data-fresh]")) {
      if (!first && !seen.has(el.dataset.fresh)) el.classList.add("fresh");
      seen.add(el.dataset.fresh);
    }
  }

  function title() {
    const counts = document.querySelector("[data-title]");
    if (!counts) return;
    document.title = counts.dataset.title + document.title.slice(document.title.startsWith(ahead) ? ahead.length : 0);
    ahead = counts.dataset.title;
  }

  // a sheet that somebody has pulled up; older browsers know no such thing
  function sheet() { try { return document.querySelector("#live :popover-open"); } catch { return null; } }

  // words that somebody is writing inside what would be renewed; the next event asks again
  function writing() {
    if (sheet()) return true;
    const fields = [...all("#live form input:not([type=hidden]), #live form textarea")];
    return fields.some((el) => el.value !== el.defaultValue || el.checked !== el.defaultChecked || el === document.activeElement);
  }

  function live(state) { document.documentElement.dataset.live = state; }
  const polled = (event) => event.detail.elt && event.detail.elt.id === "live";

  document.addEventListener("DOMContentLoaded", () => {
    const body = document.body;
    try { spoken = JSON.parse(body.dataset.words || "{}"); } catch { spoken = {}; }
    sync(); freshen(true); title(); loop();
    // a row of tabs too long for the screen starts where we are
    for (const el of all(".tabs [aria-current]")) el.parentElement.scrollLeft = el.offsetLeft - el.parentElement.offsetLeft - 40;
    body.addEventListener("htmx:sseOpen", () => live("on"));
    body.addEventListener("htmx:sseError", () => live("off"));
    // a form someone is filling in stays as it is while the rest of the page is renewed
    body.addEventListener("htmx:configRequest", (event) => {
      if (polled(event) && document.querySelector("#acts details[open], #proposals details[open]")) event.detail.headers["X-Keep-Forms"] = "1";
    });
    body.addEventListener("toggle", () => { if (missed && !sheet()) { missed = false; htmx.trigger("#live", "refresh"); } }, true);
    // never take a button away from under a finger
    body.addEventListener("pointerdown", () => { pressed = true; });
    for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, () => setTimeout(() => {
      pressed = false;
      if (missed) { missed = false; htmx.trigger("#live", "refresh"); }
    }, 50));
    body.addEventListener("htmx:beforeSwap", (event) => {
      const poll = event.detail.requestConfig && event.detail.requestConfig.verb === "get";
      if (poll && event.detail.xhr.status >= 400) { event.detail.shouldSwap = false; live("off"); }
      opened = [...all("#live details[open]")].map((el) => el.id);
      if (poll && (pressed || writing())) { event.detail.shouldSwap = false; missed = true; event.preventDefault(); }
    });
    for (const name of ["htmx:afterSwap", "htmx:oobAfterSwap", "htmx:afterRequest"]) body.addEventListener(name, () => {
      for (const id of opened.splice(0)) { const el = document.getElementById(id); if (el) el.open = true; }
      sync(); freshen(false); title(); tick();
    });
    body.addEventListener("htmx:sendError", (event) => {
      if (!polled(event)) complain(say("没有送出：网络不通或服务没有应答。请稍后再按一次。"));
      live("off");
    });
    body.addEventListener("click", (event) => {
      if (event.target.closest("[data-dismiss]")) event.target.closest("[data-notice]").remove();
      for (const open of all("details.picker[open]")) if (!open.contains(event.target)) open.open = false;
    });
    document.addEventListener("visibilitychange", () => { if (!document.hidden) tick(); });
  });

  function complain(text) {
    const box = document.createElement("div");
    box.className = "say bad"; box.dataset.notice = "";
    const words = document.createElement("p"); words.textContent = text;
    const button = document.createElement("button");
    button.type = "button"; button.dataset.dismiss = ""; button.textContent = say("知道了");
    box.append(words, button);
    document.getElementById("notice").replaceChildren(box);
  }
})();
