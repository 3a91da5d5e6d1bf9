// Underlines a sentence in the text of a card: as a highlight of the browser, which changes no element, so nothing can move.
// Without highlights (older browsers) the page is as it was.

const NAME = "b-sentence";
const LEAST = 24; // Of a sentence that the excerpt cuts, so many characters have to be there.

// The letters of an element with single spaces, and where in which text node each stands.
const lettersOf = (element) => {
  const letters = [];
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (let at = 0; at < node.data.length; at += 1) {
      const blank = /\s/.test(node.data[at]);
      if (blank && (!letters.length || letters.at(-1).letter === " ")) continue;
      letters.push({ letter: blank ? " " : node.data[at], node, at });
    }
  }
  return letters;
};

// Where a sentence stands in a text: whole, or cut at the end or the beginning of the text.
const spanIn = (text, sentence) => {
  const whole = text.indexOf(sentence);
  if (whole >= 0) return [whole, whole + sentence.length];
  const shown = text.replace(/ …\s*$/, "").length;
  const begins = text.indexOf(sentence.slice(0, LEAST));
  if (begins >= 0 && sentence.startsWith(text.slice(begins, shown))) return [begins, shown];
  const start = text.startsWith("… ") ? 2 : 0;
  const ends = text.indexOf(sentence.slice(-LEAST));
  if (start && ends >= 0 && sentence.endsWith(text.slice(start, ends + LEAST))) return [start, ends + LEAST];
  return null;
};

export default function ({ data }) {
  if (!CSS.highlights) return;
  const ranges = [];
  for (const [side, rank, sentence] of data.marks) {
    const card = `.st-key-compare-board .b-hit[data-side="${side}"][data-rank="${rank}"]`;
    for (const element of document.querySelectorAll(`${card} :is(.b-text, details > div)`)) {
      const letters = lettersOf(element);
      const span = spanIn(letters.map(({ letter }) => letter).join(""), sentence);
      if (!span) continue;
      const [first, last] = [letters[span[0]], letters[span[1] - 1]];
      const range = new Range();
      range.setStart(first.node, first.at);
      range.setEnd(last.node, last.at + 1);
      ranges.push(range);
    }
  }
  CSS.highlights.set(NAME, new Highlight(...ranges));
}
