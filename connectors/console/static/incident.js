"use strict";
// The incident's page: what a person has begun among the signals stays while the rest is renewed.
(() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const begun = () => all("#signals input[name=signal]:checked, #signals details[open]").length > 0
    || document.getElementById("signals")?.contains(document.activeElement);
  let opened = [];

  function count() {
    const place = document.querySelector("[data-chosen]");
    if (!place) return;
    place.dataset.none ||= place.textContent;
    const n = all("#signals input[name=signal]:checked").length;
    place.textContent = n ? `${n}` : place.dataset.none;
    place.closest("form").classList.toggle("any", n > 0);
  }

  document.addEventListener("DOMContentLoaded", () => {
    const body = document.body;
    count();
    body.addEventListener("change", count);
    body.addEventListener("htmx:configRequest", (event) => {
      if (event.detail.elt.id === "live" && begun()) event.detail.headers["X-Keep-Signals"] = "1";
    });
    // parts come renewed one by one: what was unfolded in one stays so
    body.addEventListener("htmx:oobBeforeSwap", (event) => {
      opened = [...event.detail.target.querySelectorAll("details[open][id]")].map((el) => el.id).filter((id) => !id.startsWith("fix-") && !id.startsWith("act-"));
    });
    body.addEventListener("htmx:oobAfterSwap", () => {
      for (const id of opened.splice(0)) { const el = document.getElementById(id); if (el) el.open = true; }
      count();
    });
  });
})();
