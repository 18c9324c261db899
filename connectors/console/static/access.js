"use strict";
// With accounts: when the line breaks because whoever is signed in here was put out, lead to the sign-in, and do not
// leave the last picture of the incidents standing. A line that is merely poor changes nothing.
document.addEventListener("DOMContentLoaded", () => {
  let asking = false;
  document.body.addEventListener("htmx:sseError", async () => {
    if (asking) return;
    asking = true;
    try {
      // the sign-in sends whoever is in onward, and shows itself to whoever is not
      const answer = await fetch("/login", { redirect: "manual", cache: "no-store" });
      if (answer.status === 200) location.assign("/login?back=" + encodeURIComponent(location.pathname + location.search));
    } catch { /* no line: the page says so */ }
    asking = false;
  });
});
