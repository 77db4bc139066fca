// Replaces the changing part of a page by what the server sends. The server has escaped everything in it.
"use strict";
function replace(part, html) {
  const parts = [...part.querySelectorAll("[data-part]")];
  if (!parts.length) { part.innerHTML = html; return; }
  // Only what has changed, so that the forms beside it keep what was typed.
  const sent = document.createElement("template");
  sent.innerHTML = html;
  for (const each of parts) {
    const now = sent.content.querySelector(`[data-part="${each.dataset.part}"]`);
    if (now && now.innerHTML !== part[`seen-${each.dataset.part}`]) {
      part[`seen-${each.dataset.part}`] = now.innerHTML;
      each.innerHTML = now.innerHTML;
    }
  }
}
for (const part of document.querySelectorAll("[data-live]")) {
  const source = new EventSource(part.dataset.live);
  const keyed = () => [...part.querySelectorAll("details[data-key]")];
  source.onmessage = (event) => {
    // Whoever reads with the keyboard stays where they are, and what they opened stays open.
    const focused = part.contains(document.activeElement) ? document.activeElement : null;
    const key = focused && (focused.id || focused.getAttribute("href"));
    const place = focused && !key ? [...part.querySelectorAll("button, summary")].indexOf(focused) : -1;
    const open = new Set(keyed().filter((each) => each.open).map((each) => each.dataset.key));
    replace(part, JSON.parse(event.data));
    for (const each of keyed()) each.open = open.has(each.dataset.key);
    if (key) {
      [...part.querySelectorAll("a, button, input, summary")]
        .find((each) => each.id === key || each.getAttribute("href") === key)?.focus({ preventScroll: true });
    } else if (place >= 0) {
      part.querySelectorAll("button, summary")[place]?.focus({ preventScroll: true });
    }
    part.dataset.updates = String(Number(part.dataset.updates || 0) + 1);
  };
  addEventListener("pagehide", () => source.close());
}
