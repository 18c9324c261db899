"use strict";
// The web app's share of every page: its worker, the mark on a copy that was kept, and leaving without leaving things behind.
(() => {
  const words = () => document.body.dataset;

  if ("serviceWorker" in navigator) navigator.serviceWorker.register("/sw.js", { scope: "/" }).catch(() => {});

  const seen = Number(document.documentElement.dataset.copy);
  function mark() {
    const line = document.getElementById("copy");
    if (!seen || !line) return;
    const at = new Date(seen + 8 * 3600000), two = (n) => String(n).padStart(2, "0");
    const day = Date.now() - seen > 64800000 ? `${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())} ` : "";
    line.textContent = words().copy.replace("{at}", `${day}${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`);
    line.hidden = false;
    document.documentElement.dataset.live = "off";
    window.addEventListener("online", () => location.reload());
  }

  // another person at this device: what the one before left unsent would be lost, so it is said first
  async function leaving(event) {
    const form = event.target;
    if (!form.matches('form[action="/me"], form[action="/logout"]') || form.dataset.sure || !self.huiying) return;
    event.preventDefault();
    const by = event.submitter;
    const left = await self.huiying.all().then((items) => items.filter((one) => !one.done), () => []);
    if (left.length && !window.confirm(words().leaving.replace("{n}", left.length))) return;
    await self.huiying.clear().catch(() => {});
    if (window.caches) await caches.delete("pages").catch(() => {});
    form.dataset.sure = "1";
    form.requestSubmit(by);
  }

  document.addEventListener("DOMContentLoaded", () => {
    mark();
    document.addEventListener("submit", leaving, true);
  });
})();
