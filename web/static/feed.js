// The event feed. Law of this file: which events are kept, and how the newest are shown: one line each, equal
// ones in a row as one line with a count. Whoever reads holds it still: nothing moves under the eye.

import { byId, el, setAttr, setText } from "./dom.js";
import { GROUPS, alike, groupOf, sentence, tone } from "./sentences.js";
import { clock, count, plural } from "./words.js";

const KEPT = 2_000; // events, as many as the init keeps
const SHOWN = 150; // lines in the document

const events = []; // newest first
const hidden = new Set(["reaps"]); // every end of a process: wanted at times, noise otherwise
const rows = new Map(); // number of a line's oldest event -> its element
let paused = false;
let waiting = 0; // events that came while paused
let due = false;
let open = () => {};

/** Begin to show; `onProcess` is called with the process of an event that was clicked. */
export function begin(onProcess) {
  open = onProcess;
  byId("feed-groups").append(...GROUPS.map(chip));
  byId("feed-pause").addEventListener("click", () => {
    paused = !paused;
    waiting = 0;
    draw();
  });
  draw();
}

/** Another init answers: what the one before did is not its history. */
export function clear() {
  events.length = 0;
  draw();
}

/** Events in order of their numbers. */
export function take(fresh) {
  for (const event of fresh) events.unshift(event);
  events.length = Math.min(events.length, KEPT);
  if (paused) waiting += fresh.length;
  draw();
}

function chip(group) {
  const pressed = () => (hidden.has(group) ? "false" : "true");
  const made = el("button", { type: "button", class: "chip toggle", "aria-pressed": pressed() }, group);
  made.addEventListener("click", () => {
    if (!hidden.delete(group)) hidden.add(group);
    setAttr(made, "aria-pressed", pressed());
    draw();
  });
  return made;
}

/** Once a frame, however many come. */
function draw() {
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    setText(byId("feed-pause"), paused ? `Go on (${count(waiting)})` : "Pause");
    setAttr(byId("feed-pause"), "aria-pressed", paused ? "true" : "false");
    if (!paused) render(lines());
  });
}

/** The newest lines: {id, event, text, count}. */
function lines() {
  const found = [];
  for (const event of events) {
    if (hidden.has(groupOf(event.kind))) continue;
    event.said ??= sentence(event);
    const line = found.at(-1);
    if (line?.event.kind === event.kind && alike(line.event.said, event.said)) {
      Object.assign(line, { id: event.seq, count: line.count + 1 });
    } else if (found.push({ id: event.seq, event, count: 1 }) > SHOWN) break;
  }
  return found.slice(0, SHOWN);
}

function render(found) {
  const list = byId("feed");
  const wanted = new Set(found.map((line) => line.id));
  for (const [id, row] of rows) {
    if (!wanted.has(id)) {
      row.remove();
      rows.delete(id);
    }
  }
  let place = list.firstChild;
  for (const line of found) {
    const row = rows.get(line.id) ?? made(line.id);
    fill(row, line);
    if (row === place) place = place.nextSibling;
    else list.insertBefore(row, place);
  }
  byId("feed-empty").hidden = found.length > 0;
  const filtered = `${plural(events.length, "event")}, none of these groups.`;
  setText(byId("feed-empty"), events.length ? filtered : "Nothing has happened yet.");
}

function made(id) {
  const text = el("button", { type: "button", class: "plain text" });
  const row = el("li", {}, el("time"), text, el("span", { class: "times" }));
  text.addEventListener("click", () => row.process && open(row.process));
  rows.set(id, row);
  return row;
}

function fill(row, { event, count: times }) {
  const [time, text, many] = row.children;
  row.process = event.culprit ?? event.process ?? null;
  row.className = `tone-${tone(event)}`;
  setText(time, event.at ? clock(event.at) : "");
  setAttr(time, "datetime", event.at);
  setText(text, event.said);
  setAttr(text, "title", event.kind);
  text.disabled = row.process === null;
  setText(many, times > 1 ? `× ${count(times)}` : "");
}
