// Runs in the measured page before its own code: notes when the end of the log is on screen, and can jump around.
const transcript = () => document.querySelector('section[aria-label="Transcript"]');
const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));

globalThis.bench = { readable: readable(), jumpAround };

/** Milliseconds from navigation until the end of the log was in the transcript. */
async function readable() {
  for (;;) {
    const last = transcript()?.querySelector("ul > li:last-of-type[aria-posinset]");
    const whole = last && last.getAttribute("aria-posinset") === last.getAttribute("aria-setsize");
    if (whole && last.textContent.includes("Done after")) return performance.now();
    await frame();
  }
}

/** Jumps to places spread over the whole log; gives how long each took to show a row in the middle of the view. */
async function jumpAround(count) {
  const view = transcript();
  const box = view.getBoundingClientRect();
  const middle = box.top + box.height / 2;
  const covers = ({ top, bottom }) => top <= middle && bottom >= middle;
  const rowShown = () =>
    [...view.querySelectorAll("li[data-index]")].some((row) => covers(row.getBoundingClientRect()));
  const taken = [];
  for (let jump = 0; jump < count; jump++) {
    const before = performance.now();
    view.scrollTop = ((jump * 7919) % 1000) * 0.001 * view.scrollHeight;
    do await frame();
    while (!rowShown() && performance.now() - before < 5000);
    taken.push(performance.now() - before);
    for (let settle = 0; settle < 5; settle++) await frame();
  }
  return taken;
}
