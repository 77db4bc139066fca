// Replaces the changing part of a page by what the server sends. The server has escaped everything in it.
"use strict";
for (const part of document.querySelectorAll("[data-live]")) {
  const source = new EventSource(part.dataset.live);
  source.onmessage = (event) => {
    // Whoever reads with the keyboard stays where they are, and what they opened stays open.
    const focused = part.contains(document.activeElement) ? document.activeElement : null;
    const key = focused && (focused.id || focused.getAttribute("href"));
    const open = [...part.querySelectorAll("details")].map((each) => each.open);
    part.innerHTML = JSON.parse(event.data);
    part.querySelectorAll("details").forEach((each, index) => { each.open = open[index] || false; });
    if (key) {
      [...part.querySelectorAll("a, button, input, summary")]
        .find((each) => each.id === key || each.getAttribute("href") === key)?.focus({ preventScroll: true });
    }
    part.dataset.updates = String(Number(part.dataset.updates || 0) + 1);
  };
  addEventListener("pagehide", () => source.close());
}
