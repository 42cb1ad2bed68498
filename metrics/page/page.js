// The script asks for new contents while the page is in view, and shows the
// values under the pointer.
(() => {
  "use strict";
  const every = 1000; // milliseconds
  const main = document.querySelector("main");
  const tip = document.getElementById("tip");
  const live = document.getElementById("live");
  let on = true;
  let pointer = null; // the plot under it, by id, and where

  function say(word, lost) {
    live.querySelector("span").textContent = word;
    live.classList.toggle("lost", lost);
    live.setAttribute("aria-pressed", on);
  }

  // Replacing the contents would end a selection and move the focus.
  const selecting = () => main.contains(getSelection().anchorNode) && !getSelection().isCollapsed;

  async function refresh() {
    if (!on || document.hidden || selecting()) return;
    try {
      const answer = await fetch("?format=contents", { cache: "no-store", signal: AbortSignal.timeout(5000) });
      if (!answer.ok) throw new Error(answer.status);
      const contents = await answer.text();
      if (!on || selecting()) return;
      const focused = document.activeElement?.id;
      main.innerHTML = contents;
      if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
      say("Live", false);
      point();
    } catch {
      if (on) say("No answer", true);
    }
  }

  async function run() {
    await refresh();
    setTimeout(run, every);
  }

  function hide() {
    tip.hidden = true;
    for (const line of main.querySelectorAll(".cross")) line.setAttribute("visibility", "hidden");
  }

  function row(name, text, className) {
    const p = document.createElement("p");
    const b = document.createElement("b");
    b.textContent = text;
    if (className) {
      const i = document.createElement("i");
      i.className = className;
      p.append(i);
    } else {
      p.className = "when";
    }
    p.append(name, b);
    return p;
  }

  // point shows the sample that is next to the pointer.
  function point() {
    hide();
    const plot = pointer && document.getElementById(pointer.id);
    if (!plot) return;
    const box = plot.getBoundingClientRect();
    const at = (pointer.x - box.left) / box.width * 1000;
    const samples = plot.dataset.points.split(";").map((s) => s.split(" "));
    const sample = samples.reduce((a, b) => Math.abs(b[0] - at) < Math.abs(a[0] - at) ? b : a);
    const age = (1000 - sample[0]) / 1000 * plot.dataset.span / 10;
    const names = [...plot.closest("figure").querySelectorAll(".legend span")].map((s) => s.className);
    const when = age < 0.5 ? "now" : age < 100 ? "−" + age.toFixed(0) + " s" : "−" + (age / 60).toFixed(1) + " min";
    tip.replaceChildren(row(when, ""), ...names.map((name, i) => {
      const v = sample[i + 1];
      return row(name, v === "-" ? "–" : Number(v).toLocaleString("en"), name);
    }));
    const x = box.left + sample[0] / 1000 * box.width;
    const cross = plot.querySelector(".cross");
    cross.setAttribute("x1", x - box.left);
    cross.setAttribute("x2", x - box.left);
    cross.setAttribute("visibility", "visible");
    tip.hidden = false;
    const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
    const left = x + 14 > room ? x - 14 - tip.offsetWidth : x + 14;
    tip.style.left = Math.max(8, Math.min(room, left)) + "px";
    tip.style.top = Math.max(8, Math.min(innerHeight - tip.offsetHeight - 8, pointer.y - tip.offsetHeight / 2)) + "px";
  }

  document.addEventListener("pointermove", (e) => {
    const plot = e.target.closest?.("svg.plot");
    pointer = plot && { id: plot.id, x: e.clientX, y: e.clientY };
    point();
  });
  document.addEventListener("scroll", () => { pointer = null; hide(); }, { passive: true });
  document.documentElement.addEventListener("pointerleave", () => { pointer = null; hide(); });
  document.addEventListener("visibilitychange", refresh);
  live.addEventListener("click", () => {
    on = !on;
    say(on ? "Live" : "Paused", false);
    refresh();
  });

  live.hidden = false;
  setTimeout(run, every);
})();
