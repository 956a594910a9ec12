// The process tree on the page. Law of this file: how one row reads, and what a person may do with it. Which
// rows there are is rows.js's, which of them are in sight is grid.js's.

import { nudge } from "./actions.js";
import { byId, el, refill, setAttr, setText } from "./dom.js";
import { Grid } from "./grid.js";
import { onChange, picture, since } from "./picture.js";
import { flatten, oldest, reveal, sums, untouched } from "./rows.js";
import { count, duration, growth, percent, plural, size, who } from "./words.js";

const DEEPEST = 24; // levels of indentation; deeper rows say their level

export const view = untouched();
let grid = null;
let choose = () => {};
let chosen = null; // id of the process that is shown in detail

/** Begin to show; `onChoose` is called with the process whose row was chosen. */
export function begin(onChoose) {
  choose = onChoose;
  grid = new Grid(byId("tree"), byId("rows"), { made, fill, act });
  grid.show([]);
  onChange(draw);
}

export function draw() {
  if (picture.takenAt === null) return;
  const rows = flatten(picture.roots, view);
  grid.show(rows);
  controls();
  setText(byId("tree-count"), count(picture.nodes.size));
  const found = rows.length ? null : view.zombies && !view.words ? "No zombies." : "No process is like that.";
  byId("tree-empty").hidden = found === null;
  setText(byId("tree-empty"), found ?? "");
}

/** The fields say what is looked for, whoever set it. */
function controls() {
  if (byId("filter").value !== view.words) byId("filter").value = view.words;
  setAttr(byId("only-zombies"), "aria-pressed", String(view.zombies));
}

/** Show what is looked for. */
export function look(changes) {
  Object.assign(view, changes);
  draw();
}

/** Mark the process that is shown in detail; null: none. */
export function mark(id) {
  chosen = id;
  draw();
}

/** Open whatever hides a process, and go there. */
export function goTo(id) {
  const node = picture.nodes.get(id);
  if (!node) return;
  reveal(node, view);
  draw();
  grid.go(grid.places.get(id) ?? 0, false);
}

/** The keyboard back on the row it was on. */
export const focus = () => grid.go(grid.at);

/** Open all folds, or close them again. */
export function unfoldAll() {
  const folds = flatten(picture.roots, view).filter((row) => row.fold).map((row) => row.key);
  const open = folds.every((key) => view.unfolded.has(key));
  if (open) view.unfolded.clear();
  else folds.forEach((key) => view.unfolded.add(key));
  draw();
}

function act(what, row) {
  if (what === "nudge") return void nudge(picture.culprits.get(row.node.id)?.process);
  if (what === "toggle" || row.fold) return toggle(row);
  return choose(row.node);
}

function toggle(row) {
  if (row.open === null) return;
  const set = row.fold ? view.unfolded : view.closed;
  if (!set.delete(row.key)) set.add(row.key);
  draw();
}

function made() {
  const cell = (kind, ...children) => el("span", { role: "gridcell", class: kind }, ...children);
  const twisty = el("span", { class: "twisty", data: { act: "toggle" }, "aria-hidden": "true" });
  const name = cell("name", twisty, el("b"), el("span", { class: "notes" }));
  const others = ["pid", "state", "age", "threads", "memory", "cpu"].map((kind) => cell(kind));
  return el("div", { role: "row" }, name, others);
}

function fill(element, row) {
  const { node, fold } = row;
  const [name, pid, state, age, threads, memory, cpu] = element.children;
  const [twisty, label, notes] = name.children;
  const total = sums(row);
  element.className = `row state-${node.state}${!fold && node.id === chosen ? " chosen" : ""}`;
  setAttr(element, "aria-selected", String(!fold && node.id === chosen));
  name.style.setProperty("--level", Math.min(row.level - 1, DEEPEST));
  setText(twisty, row.open === null ? "" : row.open ? "▾" : "▸");
  setText(label, node.name || "?");
  annotate(notes, notesOf(row));
  setText(pid, fold ? "" : node.pid);
  setText(state, node.state.replace("_", " "));
  setText(age, duration(Math.floor(since(oldest(row), picture.takenAt))));
  setText(threads, node.state === "zombie" ? "" : count(total.threads));
  setText(memory, node.state === "zombie" ? "" : size(total.memory));
  setText(cpu, node.state === "zombie" ? "" : percent(total.cpu));
  cpu.classList.toggle("dim", !(total.cpu > 0.0005));
}

/** In place where only words changed, so that one may press and select them. */
function annotate(place, notes) {
  refill(place, notes.map(([kind]) => kind), () => notes.map(note));
  notes.forEach(([, text, title], at) => {
    setText(place.children[at], text);
    setAttr(place.children[at], "title", title);
  });
}

function note([kind]) {
  const chip = { class: `chip ${kind}` };
  if (kind !== "nudge") return el("span", chip);
  return el("button", { ...chip, type: "button", tabindex: "-1", data: { act: "nudge" } });
}

/** What is to be said of a row beside its name: [kind, text, title]. */
function notesOf(row) {
  const { node, fold, level } = row;
  const found = [];
  if (fold) found.push(["times", `× ${count(fold.nodes.length)}`]);
  if (level === 1 && node.ppid === 0 && node.pid !== 1) found.push(["entered", ...ENTERED]);
  if (node.adopted) found.push(["adopted", ...adopted(node, fold)]);
  if (!fold) found.push(...culprit(node));
  if (level - 1 > DEEPEST) found.push(["plain", `level ${level}`]);
  if (node.truncated) found.push(["plain", "…", "Deeper levels are left out here; the text has them."]);
  return found;
}

const ENTERED = ["entered from outside", "Its parent is not in this namespace: docker exec, a probe."];

function adopted({ former_parent: from }, fold) {
  const words = !from ? "orphan" : fold ? `orphans of ${from.name}` : `orphan of ${who(from)}`;
  return [words, `Adopted by init when its parent ended. ${from?.cmdline ?? ""}`];
}

function culprit(node) {
  const known = picture.culprits.get(node.id);
  if (!known) return [];
  const { count: zombies, why, growth_per_minute: rate } = known;
  const words = [plural(zombies, "zombie"), why?.code.replaceAll("_", " "), growth(rate)];
  return [
    ["culprit", words.filter(Boolean).join(" · "), why?.detail],
    ["nudge", "nudge", `Send ${who(node)} SIGCHLD (n)`],
  ];
}
