// Elements. Law of this file: whatever a process chose (names, command lines, exec output) enters the
// document here and only here, as text, with every character that is not plain to see written as an escape.
// Nothing in this page ever parses text as HTML.

// Controls, format characters (bidi ones too), lone surrogates, private and unassigned ones, odd line ends.
const HIDDEN = /[\p{C}\p{Zl}\p{Zp}]/gu;

/** Text as a person may safely read it. */
export function shown(text) {
  return String(text).replace(HIDDEN, (char) => `\\u{${char.codePointAt(0).toString(16)}}`);
}

/** A multi-line answer: its line ends stay. */
export function shownLines(text) {
  return String(text).split("\n").map(shown).join("\n");
}

export const byId = (id) => document.getElementById(id);

/** Whether the keyboard is on nothing that can be seen: what it was on is gone, or is hidden now. */
export function astray() {
  const at = document.activeElement;
  return !at || at === document.body || !at.checkVisibility();
}

/** An element. Properties are attributes (null and false: none), but for `on` (listeners) and `data`. */
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) set(made, name, value);
  made.append(...children.flat().filter((child) => child != null && child !== false).map(asNode));
  return made;
}

const asNode = (child) => (child instanceof Node ? child : shown(child));

function set(node, name, value) {
  if (name === "on") for (const [kind, act] of Object.entries(value)) node.addEventListener(kind, act);
  else if (name === "data") Object.assign(node.dataset, value);
  else if (value != null && value !== false) node.setAttribute(name, value === true ? "" : shown(value));
}

/** Set only what differs: a refresh that changes nothing must cost nothing, and not disturb a selection. */
export function setText(node, text) {
  const wanted = shown(text);
  if (node.textContent !== wanted) node.textContent = wanted;
}

export function setAttr(node, name, value) {
  if (value == null || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else {
    const wanted = shown(value === true ? "" : value);
    if (node.getAttribute(name) !== wanted) node.setAttribute(name, wanted);
  }
}

/** Replace the children, but only when what they are made from (`made`) is not what it was. */
export function refill(node, made, make) {
  const key = JSON.stringify(made);
  if (node.madeFrom === key) return;
  node.madeFrom = key;
  node.replaceChildren(...[make()].flat().filter(Boolean).map(asNode));
}
