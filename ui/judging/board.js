// The board: a question, two unlabelled sides, grades and votes, by keys or by mouse. It knows no models.
// What a judge says is kept in the tab until the app has said that it is on disk, and sent again until then.

const boards = new WeakMap();
const RESEND = 3000;

function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "html") made.innerHTML = value; // Made by a template, which escapes.
    else if (name === "onclick") made.addEventListener("click", value);
    else if (value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

function token() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

class Board {
  constructor(root) {
    this.root = root;
    this.here = 0;
    this.once = []; // Undo and later: not sent again to another session, which might undo too much.
    this.keys = sessionStorage.getItem("b-judge-keys") !== "off";
    this.heard = (event) => this.key(event);
    document.addEventListener("keydown", this.heard);
    this.timer = setInterval(() => this.resend(), RESEND);
  }

  close() {
    document.removeEventListener("keydown", this.heard);
    clearInterval(this.timer);
  }

  // What was said and is not known to be on disk.
  get pending() { return JSON.parse(sessionStorage.getItem(this.drawer) || "[]"); }
  set pending(events) { sessionStorage.setItem(this.drawer, JSON.stringify(events)); }
  get drawer() { return "b-judge-" + this.data.book; }

  update({ data, setTriggerValue }) {
    const fresh = !this.data || this.data.question !== data.question || this.data.layout !== data.layout ||
      this.data.final !== data.final;
    this.data = data;
    this.send = (events) => setTriggerValue("said", { events });
    const saved = new Set(data.saved);
    const before = this.pending;
    this.pending = before.filter((event) => !saved.has(event.token));
    this.once = this.session === data.session ? this.once.filter((event) => !saved.has(event.token)) : [];
    if (fresh) {
      this.here = 0;
      this.voted = data.vote;
    }
    this.grades = { ...data.grades };
    for (const event of this.pending)
      if (event.kind === "grade" && event.question === data.question) this.grades[event.document] = event.grade;
    if (fresh) this.draw();
    this.mark();
    this.tell(before.length > this.pending.length ? "Saved." : "");
    if (this.session !== data.session) {
      this.session = data.session;
      this.resend();
    }
  }

  say(event) {
    event = { ...event, token: token(), question: this.data.question, at: Date.now() };
    if (event.kind === "vote" || event.kind === "grade") this.pending = [...this.pending, event];
    else this.once.push(event);
    this.post();
    this.tell();
  }

  post() { this.send([...this.pending, ...this.once].sort((one, other) => one.at - other.at)); }

  resend() {
    if (!this.data) return;
    const late = this.pending.filter((event) => Date.now() - event.at > RESEND / 2);
    if (late.length) this.post();
    this.tell();
  }

  grade(place, value) {
    const document_ = this.cards[place].dataset.document;
    this.grades[document_] = value;
    this.say({ kind: "grade", document: document_, grade: value });
    this.mark();
  }

  vote(side) {
    if (this.waiting === this.data.question) return; // One vote a question until the next one is here.
    this.waiting = this.data.question;
    this.voted = side;
    this.say({ kind: "vote", side });
    this.mark();
  }

  move(step) {
    this.here = Math.max(0, Math.min(this.cards.length - 1, this.here + step));
    this.mark();
    this.cards[this.here].focus({ preventScroll: true });
    this.cards[this.here].scrollIntoView({ block: "nearest" });
  }

  // After a grade: on to the next document without one.
  next() {
    const open = (card) => !(card.dataset.document in this.grades);
    const after = this.cards.findIndex((card, place) => place > this.here && open(card));
    if (after >= 0) this.move(after - this.here);
  }

  key(event) {
    const at = event.target;
    if (!this.keys || !this.cards || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (at.closest && at.closest("input, textarea, select, [contenteditable=true], [role=dialog], [role=listbox], [role=radiogroup], [role=combobox], [role=tablist], [role=slider]")) return;
    if (!this.root.isConnected || event.repeat) return;
    const mixed = this.data.layout === "mixed";
    const votes = mixed ? { ArrowRight: "done" } : { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "both", ArrowDown: "neither" };
    const name = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (votes[name]) this.vote(votes[name]);
    else if ("0123".includes(name) && name.length === 1 && this.cards.length) {
      this.grade(this.here, Number(name));
      this.next();
    } else if (name === "j" || name === "n") this.move(1);
    else if (name === "k" || name === "p") this.move(-1);
    else if (name === "u") this.say({ kind: "undo" });
    else if (name === "l") this.say({ kind: "later" });
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  draw() {
    const { data } = this;
    this.cards = [];
    this.waiting = null;
    const sides = data.sides.map((side) => this.side(side));
    const mixed = data.layout === "mixed";
    const votes = mixed
      ? [["done", "Done, next question", "→"]]
      : [["left", "Left is better", "←"], ["both", "Both are good", "↑"], ["neither", "Neither is good", "↓"], ["right", "Right is better", "→"]];
    this.votes = votes.map(([side, label, sign]) =>
      el("button", { type: "button", "data-side": side, onclick: () => this.vote(side) },
        el("kbd", { "aria-hidden": "true" }, sign), " " + label));
    this.note = el("span", { role: "status", class: "b-note" });
    const keys = el("button", { type: "button", class: "b-quiet", onclick: () => this.toggle(keys) });
    const board = el("div", { class: "b-board" },
      el("h2", { class: "b-asked" }, data.text),
      el("div", { class: "b-sides" + (mixed ? " b-mixed" : "") }, ...sides),
      el("div", { class: "b-ballot" },
        el("div", { class: "b-votes", role: "group", "aria-label": mixed ? "When you have graded what is relevant" : "Which side answers better?" }, ...this.votes),
        el("div", { class: "b-hints" },
          this.hint("0–3", "grade the marked document"), this.hint("j k", "next, previous"),
          this.hint("u", "undo", () => this.say({ kind: "undo" })), this.hint("l", "later", () => this.say({ kind: "later" })),
          keys, this.note)));
    this.toggle(keys, true);
    this.root.replaceChildren(board);
  }

  hint(sign, words, act) {
    const parts = [el("kbd", {}, sign), " " + words];
    return act ? el("button", { type: "button", class: "b-quiet", onclick: act }, ...parts) : el("span", {}, ...parts);
  }

  toggle(button, first = false) {
    if (!first) this.keys = !this.keys;
    sessionStorage.setItem("b-judge-keys", this.keys ? "on" : "off");
    button.textContent = this.keys ? "Keys are on" : "Keys are off";
    button.setAttribute("aria-pressed", String(this.keys));
  }

  side(side) {
    const list = el("ol", { class: "b-list" });
    side.documents.forEach((key, rank) => list.append(el("li", {}, this.card(side.name, key, rank + 1))));
    if (!side.documents.length) list.append(el("li", { class: "b-card b-nothing" }, "Nothing found."));
    return el("section", { "aria-label": side.name }, el("h3", { class: "b-sidename" }, side.name), list);
  }

  card(side, key, rank) {
    const shown = this.data.documents[key];
    const place = this.cards.length;
    const levels = this.data.levels.map((words, value) =>
      el("button", { type: "button", "data-grade": value, title: words, onclick: () => { this.here = place; this.grade(place, value); } },
        el("b", {}, String(value)), " ", el("span", {}, words)));
    const card = el("article", { class: "b-card b-doc", tabindex: "-1", "aria-label": `${side}, document ${rank}: ${shown.name}` },
      el("div", { class: "b-docrank", "aria-hidden": "true" }, String(rank)),
      el("div", { class: "b-docbody" },
        shown.title ? el("div", { class: "b-doctitle", html: shown.title }) : null,
        el("div", { class: "b-doctext", html: shown.text }),
        shown.whole ? el("details", {}, el("summary", {}, "whole text"), el("div", { html: shown.whole })) : null,
        shown.facts.length ? el("div", { class: "b-soft" }, shown.facts.join(" · ")) : null,
        el("div", { class: "b-grades", role: "group", "aria-label": "How relevant is this document?" }, ...levels)));
    card.dataset.document = key;
    card.addEventListener("click", () => { this.here = place; this.mark(); });
    this.cards.push(card);
    return card;
  }

  mark() {
    this.cards.forEach((card, place) => {
      card.classList.toggle("b-here", place === this.here);
      const given = this.grades[card.dataset.document];
      for (const button of card.querySelectorAll("[data-grade]"))
        button.setAttribute("aria-pressed", String(Number(button.dataset.grade) === given));
    });
    for (const button of this.votes)
      button.setAttribute("aria-pressed", String(button.dataset.side === this.voted));
  }

  tell(words = "") {
    if (!this.note) return;
    const oldest = Math.min(...this.pending.map((event) => event.at));
    if (!this.pending.length) this.note.textContent = words || this.note.textContent.replace(/^Sav.*|^Not.*/, "Saved.");
    else this.note.textContent = Date.now() - oldest > 2 * RESEND
      ? "Not saved yet: the app does not answer. Kept here, and sent again."
      : "Saving…";
  }
}

export default function (component) {
  const root = component.parentElement;
  if (!boards.has(root)) boards.set(root, new Board(root));
  boards.get(root).update(component);
  return () => {
    boards.get(root)?.close();
    boards.delete(root);
  };
}
