"use strict";
// The officer's page: every act goes into the queue first and from there to the server, so that none is lost on a poor
// line; photos are made small and lose what the camera wrote into them; a note may be spoken.
(() => {
  const LONGEST_SIDE = 2000, MOST_BYTES = 1500000;
  const all = (selector, root) => (root || document).querySelectorAll(selector);
  const words = () => document.getElementById("waiting").dataset;
  const person = () => words().person;
  const photos = new WeakMap(), keeping = new WeakSet();

  // ── the queue, as the page shows it ──

  const two = (n) => String(n).padStart(2, "0");
  const clock = (ms) => { const at = new Date(ms + 8 * 3600000); return `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`; };

  function state(item) {
    if (item.done) return ["met", words().sent.replace("{at}", clock(item.done))];
    if (item.refused) return ["breached", words().refused + item.refused];
    if (item.held) return ["late", item.held];
    return ["late", words().waits];
  }

  function line(item) {
    const [mark, said] = state(item), li = document.createElement("li"), text = document.createElement("span");
    li.className = "w-" + mark; li.dataset.n = item.n;
    const act = document.createElement("b"); act.textContent = item.label;
    const what = document.createElement("span"); what.textContent = ` ${item.title}`;
    const how = document.createElement("small"); how.textContent = `${words().pressed.replace("{at}", clock(item.at))} · ${said}`;
    text.append(act, what, how);
    const icon = document.querySelector(`#waiting template[data-icon="${mark}"]`).content.cloneNode(true);
    li.append(icon, text);
    if (item.refused || item.done) {
      const button = document.createElement("button");
      button.type = "button"; button.textContent = words().ok;
      button.addEventListener("click", () => self.huiying.drop(item.n).then(draw));
      li.append(button);
    }
    return li;
  }

  async function draw() {
    const items = (await self.huiying.all().catch(() => [])).filter((item) => item.person === person());
    const shown = items.filter((item) => !item.done || item.late);
    const box = document.getElementById("waiting"), open = shown.filter((item) => !item.done && !item.refused);
    box.hidden = !shown.length;
    box.querySelector("ol").replaceChildren(...shown.map(line));
    box.querySelector("[data-count]").textContent = open.length || "";
    box.querySelector("[data-now]").hidden = !open.length;
    for (const el of all("[data-pending]")) {
      const mine = open.filter((item) => item.incident === el.dataset.pending);
      el.hidden = !mine.length;
      el.textContent = mine.map((item) => `${words().waits}: ${item.label} ${clock(item.at)}`).join(" · ");
    }
    return items;
  }

  function announce(text, kind) {
    const box = document.createElement("div"), said = document.createElement("p");
    box.className = "say " + kind; said.textContent = text; box.append(said);
    if (kind === "bad") {
      box.dataset.notice = "";
      const button = document.createElement("button");
      button.type = "button"; button.dataset.dismiss = ""; button.textContent = words().ok;
      box.append(button);
    }
    document.getElementById("notice").replaceChildren(box);
  }

  // what came through says so; what did not is kept and said too
  async function send(n) {
    const quick = setTimeout(() => announce(words().sending, "good"), 500);
    const sent = await self.huiying.flush().catch(() => 0);
    clearTimeout(quick);
    const items = await draw(), own = items.find((item) => item.n === n);
    if (own && own.done) { announce(words().did.replace("{act}", own.label), "good"); await self.huiying.drop(n); }
    else if (own && own.refused) { announce(own.refused, "bad"); await self.huiying.drop(n); await draw(); }
    else if (own) { await self.huiying.renew({ ...own, late: true }); announce(own.held || words().kept, "bad"); later(); await draw(); }
    if (sent && window.htmx) htmx.trigger("#live", "refresh");
  }

  function later() {
    if (!navigator.serviceWorker) return;
    navigator.serviceWorker.ready.then((worker) => worker.sync && worker.sync.register("huiying-acts")).catch(() => {});
  }

  // what is still waiting is tried again by itself
  async function again() {
    const items = await self.huiying.all().catch(() => []);
    if (!items.some((item) => !item.done && !item.refused)) return;
    const sent = await self.huiying.flush().catch(() => 0);
    await draw();
    if (sent && window.htmx) htmx.trigger("#live", "refresh");
  }

  async function submitted(event) {
    const form = event.target.closest("form[data-act]");
    if (!form || !self.indexedDB) return; // without a store the form goes as any form does
    event.preventDefault();
    if (keeping.has(form)) return; // a second press before the first is kept is the same press
    keeping.add(form);
    const n = await kept(form, event.submitter).finally(() => keeping.delete(form));
    if (n) await send(n);
  }

  // the act as it waits in the queue: its number there; nothing where there is no act or no store
  async function kept(form, submitter) {
    const data = new FormData(form, submitter), fields = {};
    for (const [name, value] of data) if (typeof value === "string" && value.trim() && name !== "view") fields[name] = value.trim();
    const item = { act: form.dataset.act, incident: form.dataset.incident, title: form.dataset.title, label: form.dataset.label, person: person(), fields };
    const input = form.querySelector('input[type="file"]');
    if (input && input.files.length) {
      const made = await (photos.get(input) || shrunk(input));
      if (!made) return 0;
      item.file = made; item.name = "photo-" + Date.now() + ".jpg";
    } else if (input && input.required) { announce(words().nophoto, "bad"); return 0; }
    let n;
    try { n = await self.huiying.add(item); } catch { form.submit(); return 0; }
    const sheet = form.closest("[popover]");
    if (sheet && sheet.hidePopover) sheet.hidePopover();
    form.reset();
    for (const canvas of all("canvas", form)) canvas.hidden = true;
    return n;
  }

  // ── a photo: small, upright, and without the place and the maker that the camera wrote into it ──

  async function shrunk(input) {
    const canvas = input.form.querySelector("canvas");
    try {
      const picture = await createImageBitmap(input.files[0], { imageOrientation: "from-image" });
      const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
      canvas.width = Math.max(1, Math.round(picture.width * scale));
      canvas.height = Math.max(1, Math.round(picture.height * scale));
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      picture.close();
      canvas.hidden = false;
      for (const quality of [0.85, 0.7, 0.5, 0.3]) {
        const made = await new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
        if (made && (made.size <= MOST_BYTES || quality === 0.3)) return made;
      }
    } catch { /* said below */ }
    canvas.hidden = true; input.value = ""; photos.delete(input);
    announce(words().badphoto, "bad");
    return null;
  }

  function chosen(event) {
    const input = event.target;
    if (input.type === "file" && input.files.length && input.form.dataset.act) photos.set(input, shrunk(input));
  }

  // ── a note by voice: the words land in the field and may be changed before anything is sent ──

  const Recogniser = window.SpeechRecognition || window.webkitSpeechRecognition;
  let hearing = null;

  function listen(button) {
    if (hearing) { hearing.stop(); return; }
    const field = button.form.querySelector("textarea"), before = field.value;
    hearing = new Recogniser();
    hearing.lang = "zh-CN"; hearing.interimResults = true; hearing.continuous = true;
    hearing.onresult = (event) => { field.value = before + [...event.results].map((one) => one[0].transcript).join(""); };
    hearing.onerror = () => announce(words().deaf, "bad");
    hearing.onend = () => { hearing = null; button.setAttribute("aria-pressed", "false"); field.focus(); };
    button.setAttribute("aria-pressed", "true");
    hearing.start();
  }

  function dress() {
    const may = Recogniser && words().dictation === "yes";
    for (const button of all("[data-dictate]")) button.hidden = !may;
    draw();
  }

  document.addEventListener("DOMContentLoaded", () => {
    if (!document.getElementById("waiting")) return;
    const body = document.body;
    body.addEventListener("submit", submitted);
    body.addEventListener("change", chosen);
    body.addEventListener("click", (event) => {
      const button = event.target.closest("[data-dictate]");
      if (button) listen(button);
      if (event.target.closest("[data-now]")) again();
    });
    for (const name of ["htmx:afterSwap", "htmx:oobAfterSwap"]) body.addEventListener(name, dress);
    body.addEventListener("htmx:sseOpen", again);
    window.addEventListener("online", again);
    setInterval(again, 15000);
    if (self.huiying.told) self.huiying.told.addEventListener("message", draw);
    dress();
    // what came through while the page was away has been seen now
    self.huiying.all().then((items) => items.filter((item) => item.done && Date.now() - item.done > 60000).forEach((item) => self.huiying.drop(item.n)), () => {});
    again();
  });
})();
