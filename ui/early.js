// In the document from the first byte on: what is pressed on Compare before its own script (comparing/page.js) is there
// is kept for it, and so is the key that leads to the question.
window.bespoke = { hears: false, pressed: null, push: history.pushState.bind(history) };
// What a page writes into its own address is no step: one press of Back leaves the page. Documents like one are a step.
// Who goes to another page writes its parameters into this one's address first; Back brings what was there before.
let before = { href: location.href, at: -Infinity };
history.pushState = (state, title, to) => {
  const next = new URL(to ?? location.href, location.href);
  const like = (address) => new URLSearchParams(address.search).get("like");
  if (next.pathname === location.pathname && like(next) === like(location)) {
    before = { href: location.href, at: performance.now() };
    return history.replaceState(state, title, to);
  }
  const handed = next.search === location.search && performance.now() - before.at < 5_000;
  if (handed && new URL(before.href).pathname === location.pathname) history.replaceState(history.state, "", before.href);
  return window.bespoke.push(state, title, to);
};
// A page that is opened with a question has its title out of the way before the room for answers says so (style.css).
const asked = new URLSearchParams(location.search);
const opened = location.pathname.endsWith("/compare") && (asked.get("q")?.trim() || asked.get("like"));
document.documentElement.toggleAttribute("data-asked", Boolean(opened));
addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-act]");
  if (!button || window.bespoke.hears) return;
  window.bespoke.pressed = button;
  button.setAttribute("aria-busy", "true");
});
addEventListener("keydown", (event) => {
  if (event.key !== "/" || window.bespoke.hears || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest?.("input, textarea, select, [contenteditable], [role=listbox]")) return;
  const box = document.querySelector(".st-key-q input");
  if (!box) return;
  box.focus();
  box.select();
  event.preventDefault();
});
// Streamlit's menu on a narrow page puts a section, which is no item, into a list: it is heard as links instead.
const MENU = "[data-testid=stSidebarNavItems]";
new MutationObserver(() => {
  if (document.querySelector("[class*='st-key-room-'], .b-empty, [data-testid=stAlert]")) document.documentElement.removeAttribute("data-asked");
  for (const part of document.querySelectorAll(`${MENU}:not([role]), ${MENU} li:not([role])`)) part.setAttribute("role", "none");
}).observe(document.documentElement, { childList: true, subtree: true });
