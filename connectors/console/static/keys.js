"use strict";
// Shortcuts of one key, for those who want them: ? tells them all, and they can be turned off (WCAG 2.1.4).
(() => {
  const KEY = "huiying-keys";
  let before = "", at = 0;
  const on = () => localStorage.getItem(KEY) !== "off";
  const box = () => document.getElementById("keys");
  const items = () => [...document.querySelectorAll("[data-item], .incidents .card, table.cards tbody tr")].filter((el) => el.offsetParent);

  function typing(event) {
    const el = event.target;
    return event.ctrlKey || event.metaKey || event.altKey || (el.matches && el.matches("input, textarea, select, [contenteditable]"));
  }

  function step(by) {
    const list = items();
    if (!list.length) return;
    const here = list.findIndex((el) => el.contains(document.activeElement));
    const next = list[Math.min(list.length - 1, Math.max(0, here < 0 ? 0 : here + by))];
    const way = next.querySelector("a, button, summary") || next;
    if (way === next) next.tabIndex = -1;
    way.focus();
    next.scrollIntoView({ block: "nearest" });
  }

  // 签收 asks once more: a slip of a finger must not sign for anybody
  function acknowledge() {
    const list = items(), here = list.find((el) => el.contains(document.activeElement)) || (list.length ? list[0] : document);
    const button = here.querySelector('form[action$="/acts/ack"] button') || document.querySelector('.head form[action$="/acts/ack"] button');
    if (button && window.confirm(document.body.dataset.ack + "\n" + button.textContent.trim().replace(/\s+/g, " "))) button.click();
  }

  const GO = { b: "/", m: "/mine", r: "/roster", t: "/tasks", h: "/handover" };
  const DO = { "?": () => show(), j: () => step(1), k: () => step(-1), a: acknowledge };

  function show() {
    const dialog = box();
    dialog.querySelector("input").checked = on();
    dialog.showModal();
  }

  function pressed(event) {
    if (event.defaultPrevented || typing(event) || box().open || !on()) return;
    const fresh = Date.now() - at < 1500 && before === "g";
    before = event.key; at = Date.now();
    const go = fresh && GO[event.key];
    if (go) { event.preventDefault(); location.href = go; return; }
    if (!fresh && DO[event.key]) { event.preventDefault(); DO[event.key](); }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const dialog = box();
    if (!dialog) return;
    for (const button of document.querySelectorAll("[data-keys]")) button.addEventListener("click", show);
    dialog.querySelector("input").addEventListener("change", (event) => localStorage.setItem(KEY, event.target.checked ? "on" : "off"));
    document.addEventListener("keydown", pressed);
    // Escape closes what was opened, and the focus goes back to what opened it
    document.addEventListener("keydown", (event) => {
      const open = event.key === "Escape" && document.querySelector("details.picker[open]");
      if (open) { open.open = false; open.querySelector("summary").focus(); }
    });
  });
})();
