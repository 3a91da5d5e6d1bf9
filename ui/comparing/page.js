// What HTML and CSS cannot do on Compare: the same document lights up in every column, lines join it across them, on a
// narrow page one side can stand alone, keys move between cards, the buttons of a card tell the page what was pressed,
// Back brings the question before, and a question that the app did not hear is asked again.
// The page works without it; it reads only what the page itself has drawn.

const ROOM = ".st-key-compare-board";
const SVG = "http://www.w3.org/2000/svg";
const UNHEARD = 3; // seconds
const STEP = 1200; // milliseconds

export default function ({ data, parentElement, setTriggerValue }) {
  parentElement.bespoke?.abort(); // Called anew whenever the page has new data.
  const control = new AbortController();
  parentElement.bespoke = control;
  const { signal } = control;
  let pinned = null;
  const room = document.querySelector(ROOM);

  const board = () => document.querySelector(`${ROOM} .b-compare[role=table]`);
  const documentAt = (target) => target.closest?.(`${ROOM} [data-doc]`)?.dataset.doc ?? null;

  const light = (doc) => {
    const table = board();
    if (!table) return;
    table.classList.toggle("b-lighting", doc !== null);
    for (const part of table.querySelectorAll("[data-doc]")) {
      part.classList.toggle("b-lit", doc !== null && part.dataset.doc === doc);
    }
  };

  const tell = (button) => {
    button.removeAttribute("aria-busy");
    setTriggerValue("act", { act: button.dataset.act, document: Number(button.dataset.of ?? -1) });
  };

  // What was pressed before this script was there (early.js), on a board that is still on the page.
  const { pressed } = window.bespoke;
  Object.assign(window.bespoke, { hears: true, pressed: null });
  if (pressed?.isConnected) setTimeout(() => signal.aborted || tell(pressed));
  signal.addEventListener("abort", () => (window.bespoke.hears = false));

  const listen = (kind, act) => document.addEventListener(kind, act, { signal });
  listen("pointerover", (event) => light(documentAt(event.target) ?? pinned));
  listen("focusin", (event) => light(documentAt(event.target) ?? pinned));
  listen("focusout", () => light(pinned));

  listen("click", (event) => {
    const act = event.target.closest?.("[data-act]");
    if (act) {
      tell(act);
      return;
    }
    const copies = event.target.closest?.("[data-copy]");
    if (copies) {
      copy(copies, copies.dataset.copy === "link" ? location.href : data.copied);
      return;
    }
    const shows = event.target.closest?.("[data-show]");
    if (shows) {
      room.dataset.only = shows.dataset.show;
      attach();
      return;
    }
    if (event.target.closest?.("a, button, summary, input") || String(getSelection())) return;
    const doc = documentAt(event.target);
    if (doc !== null || event.target.closest?.(ROOM)) {
      pinned = doc === pinned ? null : doc;
      light(pinned ?? documentAt(event.target));
    }
  });

  listen("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.closest?.("input, textarea, select, [contenteditable], [role=listbox]");
    if (event.key === "/" && !typing) {
      const box = document.querySelector(".st-key-q input");
      box?.focus();
      box?.select();
      event.preventDefault();
    } else if (event.key === "Escape" && !typing && !document.querySelector("[role=dialog]")) {
      if (pinned !== null) light((pinned = null));
      else if (data.full) setTriggerValue("act", { act: "leave", document: -1 });
    } else {
      walk(event);
    }
  });

  // Up and down go along the ranks of a column, left and right along a rank.
  const walk = (event) => {
    const card = event.target.closest?.(`${ROOM} .b-hit`);
    const step = { ArrowDown: [1, 0], ArrowUp: [-1, 0], ArrowRight: [0, 1], ArrowLeft: [0, -1] }[event.key];
    if (event.target !== card || !step) return;
    const [rank, side] = [Number(card.dataset.rank) + step[0], Number(card.dataset.side) + step[1]];
    const next = board()?.querySelector(`.b-hit[data-rank="${rank}"][data-side="${side}"]`);
    if (next) {
      next.focus();
      event.preventDefault();
    }
  };

  // What is typed while the page is drawn for the first time can get lost on its way: the box shows one question
  // and the page answers another, or none. Where that stays so, the box is right.
  let seen = null;
  let times = 0;
  const heard = setInterval(() => {
    const box = document.querySelector(".st-key-q input");
    const idle = document.querySelector('[data-testid="stApp"][data-test-script-state="notRunning"]');
    const differs = box && idle && box.value.trim() !== data.asked.trim();
    times = differs && box.value === seen ? times + 1 : 0;
    seen = box?.value ?? null;
    if (times === UNHEARD) setTriggerValue("act", { act: "ask", text: seen });
  }, 1000);
  signal.addEventListener("abort", () => clearInterval(heard));

  // Each question is a step of Back; what was typed on the way to it is not.
  const inAddress = () => (new URLSearchParams(location.search).get("q") ?? "").trim();
  const step = (parentElement.bespokeStep ??= { asked: data.asked.trim(), href: location.href });
  const later = setTimeout(() => {
    const now = data.asked.trim();
    if (!now || inAddress() !== now) return;
    if (step.asked && !now.startsWith(step.asked) && !step.asked.startsWith(now)) {
      const here = location.href;
      history.replaceState(history.state, "", step.href);
      window.bespoke.push(history.state, "", here);
    }
    Object.assign(step, { asked: now, href: location.href });
  }, STEP);
  signal.addEventListener("abort", () => clearTimeout(later));
  const path = location.pathname;
  const back = () => {
    if (location.pathname !== path) return;
    Object.assign(step, { asked: inAddress(), href: location.href });
    setTriggerValue("act", { act: "ask", text: inAddress() });
  };
  addEventListener("popstate", back, { signal });

  const draw = () => {
    const table = board();
    if (!table) return;
    table.querySelector(":scope > svg")?.remove();
    const frame = table.getBoundingClientRect();
    const zoom = frame.width / table.offsetWidth || 1; // Full screen enlarges; lines are drawn in the page's own units.
    const lines = document.createElementNS(SVG, "svg");
    lines.setAttribute("class", "b-lines");
    lines.setAttribute("aria-hidden", "true");
    const cards = new Map();
    for (const card of table.querySelectorAll(".b-hit[data-doc]")) {
      cards.set(`${card.dataset.side} ${card.dataset.doc}`, card);
    }
    for (const from of cards.values()) {
      const to = cards.get(`${Number(from.dataset.side) + 1} ${from.dataset.doc}`);
      if (!to) continue;
      const [a, b] = [from.getBoundingClientRect(), to.getBoundingClientRect()];
      if (b.left - a.right < 12) return; // Stacked, on a narrow window: nothing to join.
      const [x, end] = [(a.right - frame.left) / zoom, (b.left - frame.left) / zoom];
      const [y, stop] = [(a.top - frame.top) / zoom + 18, (b.top - frame.top) / zoom + 18];
      const bend = (end - x) / 2;
      const moved = Number(from.dataset.rank) - Number(to.dataset.rank);
      const line = document.createElementNS(SVG, "path");
      line.setAttribute("d", `M${x} ${y} C${x + bend} ${y} ${end - bend} ${stop} ${end} ${stop}`);
      line.setAttribute("class", moved > 0 ? "b-rose" : moved < 0 ? "b-fell" : "b-stayed");
      line.dataset.doc = from.dataset.doc;
      lines.append(line);
    }
    table.append(lines);
  };

  // The page redraws the columns in one stroke; a card that unfolds or a window that narrows moves the others.
  let waiting = 0;
  const soon = () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(draw);
  };
  const changed = new MutationObserver((records) => {
    const ours = (node) => node.nodeName === "svg";
    const all = records.flatMap((r) => [...r.addedNodes, ...r.removedNodes]);
    if (all.some((node) => !ours(node))) attach();
  });
  const resized = new ResizeObserver(soon);
  const attach = () => {
    resized.disconnect();
    const table = board();
    for (const one of document.querySelectorAll("[data-show]")) {
      one.setAttribute("aria-pressed", String(one.dataset.show === (room.dataset.only ?? "")));
    }
    if (table) for (const part of [table, ...table.children]) if (part.nodeName !== "svg") resized.observe(part);
    soon();
  };
  if (room) changed.observe(room, { childList: true, subtree: true });
  attach();
  signal.addEventListener("abort", () => {
    changed.disconnect();
    resized.disconnect();
    cancelAnimationFrame(waiting);
  });
  return () => control.abort();
}

async function copy(button, text) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // A page that is not served from this machine or by https may not use the clipboard; the old way works.
    const box = document.createElement("textarea");
    box.value = text;
    document.body.append(box);
    box.select();
    done = document.execCommand("copy");
    box.remove();
  }
  const before = button.textContent;
  button.textContent = done ? "Copied" : "The browser did not allow it";
  setTimeout(() => (button.textContent = before), 2000);
}
