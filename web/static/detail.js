// One process in detail. Law of this file: what the API says of the chosen process, in words; what it may not
// read is named, never guessed.

import { onAccess, whyNot } from "./access.js";
import { nudge, signalProcess } from "./actions.js";
import { get } from "./api.js";
import { byId, el, refill, setText } from "./dom.js";
import { now, onChange, picture, since } from "./picture.js";
import * as tree from "./tree.js";
import { clock, count, duration, growth, plural, size, who } from "./words.js";

const APART = 3_000; // ms between two looks at the same process: this one costs more than the tree

let chosen = null; // {id, pid, name}
let known = null; // the API's answer
let gone = null; // why there is none
let looked = -Infinity;
let onShow = () => {};

/** `shown` is called with the id of the process that is shown from now on, or null. */
export function begin(shown) {
  onShow = shown;
  onChange(() => chosen && draw() && again());
  onAccess(() => chosen && draw());
}

export const isOpen = () => chosen !== null;

/** The keyboard to where one leaves it. */
export const focus = () => byId("detail").querySelector(".close").focus();

export function show(process) {
  chosen = { id: process.id, pid: process.pid, name: process.name };
  known = gone = null;
  looked = -Infinity;
  byId("detail").hidden = false;
  onShow(chosen.id);
  draw();
  again();
}

export function close() {
  chosen = null;
  byId("detail").hidden = true;
  byId("detail").replaceChildren();
  onShow(null);
}

/** Ask again, at times, for as long as it is there; at once when the tree has lost it. Paused: only once. */
async function again() {
  const apart = picture.nodes.has(chosen.id) ? APART : 0;
  if (gone || (picture.paused && known) || performance.now() - looked < apart) return;
  looked = performance.now();
  const { id } = chosen;
  try {
    const answer = await get(`/api/v1/processes/${id}`);
    if (chosen?.id === id) known = answer;
  } catch (problem) {
    if (chosen?.id === id && (problem.status === 404 || problem.status === 409)) gone = farewell(problem);
  }
  if (chosen?.id === id) draw();
}

const farewell = (problem) =>
  problem.code === "reused_pid" ? "It has ended; another process has its pid now." : "It has ended.";

/** True, so that it can stand in a condition. */
function draw() {
  const panel = byId("detail");
  if (!panel.firstChild || panel.dataset.id !== chosen.id) {
    panel.dataset.id = chosen.id;
    panel.replaceChildren(head(), el("p", { class: "lead" }), el("dl"));
  }
  setText(panel.querySelector(".lead"), lead());
  list(panel.querySelector("dl"), known ? factsOf(known) : []);
  order(panel.querySelector(".nudge"), picture.culprits.has(chosen.id));
  order(panel.querySelector(".signal"), !gone);
  return true;
}

/** In place where only values changed, so that one may select and copy them. */
function list(place, facts) {
  refill(place, facts.map(([name]) => name), () => facts.flatMap(fact));
  place.querySelectorAll("dd").forEach((each, at) => setText(each.firstElementChild ?? each, facts[at][1]));
}

function head() {
  const button = (kind, text, act, title) =>
    el("button", { type: "button", class: kind, title, "aria-label": title, on: { click: act } }, text);
  return el("div", { class: "head" },
    el("h2", { id: "detail-title" }, who(chosen)),
    button("order signal", "Signal…", () => signalProcess(chosen)),
    button("order nudge", "Nudge", () => nudge(chosen)),
    button("close", "×", leave, "Close"));
}

/** By its own button, which is gone then. */
function leave() {
  close();
  tree.focus();
}

function order(button, there) {
  const why = whyNot();
  if (!there && document.activeElement === button) focus(); // the keyboard would be nowhere
  button.hidden = !there;
  button.title = why ?? "";
  button.setAttribute("aria-disabled", why ? "true" : "false");
}

function lead() {
  if (gone) return gone;
  const culprit = picture.culprits.get(chosen.id);
  if (culprit) {
    const much = [plural(culprit.count, "zombie"), growth(culprit.growth_per_minute)].filter(Boolean);
    return `It has not waited for ${much.join(", ")}. ${culprit.why?.detail ?? ""}`;
  }
  const node = picture.nodes.get(chosen.id);
  if (node?.state === "zombie") return `It has ended; ${who(node.parent)} has not waited for it yet.`;
  return known ? "" : "asking…";
}

/** [name, value, preformatted?]: those that say something. */
function factsOf(p) {
  const { user, memory, memory_full: full, cpu, would_adopt: adopter } = p;
  return [
    ["Command", p.cmdline?.join(" "), true],
    ["State", !gone && `${p.state.replace("_", " ")}, ${plural(p.threads, "thread")}, nice ${p.nice ?? "–"}`],
    ["Started", `${clock(p.started_at)}${gone ? "" : `, ${duration(since(p.started_at, now()))} ago`}`],
    ["Parent", p.ppid || "outside this namespace"],
    ["Orphan of", p.former_parent && `${who(p.former_parent)} ${p.former_parent.cmdline ?? ""}`],
    ["Ids", `group ${p.pgrp}, session ${p.session}, process ${p.id}`],
    ["User", user && `${user.name} (${user.uid}:${user.gid})`],
    ["Memory", memory && memories(memory, full)],
    ["CPU", cpu && `${cpu.user_seconds.toFixed(2)} s user, ${cpu.system_seconds.toFixed(2)} s system`],
    ["Descriptors", p.fds == null ? null : count(p.fds)],
    ["Program", p.exe, true],
    ["Directory", p.cwd, true],
    ["Signals", p.signals && signals(p.signals)],
    ["Control group", p.cgroup && groups(p.cgroup), true],
    ["Its orphans", adopter && orphans(adopter)],
    ["Not readable", p.unreadable?.length ? `${p.unreadable.join(", ")} (by the user of web)` : null],
  ].filter(([, value]) => value != null && value !== false && value !== "");
}

const fact = ([name, , code]) => [el("dt", {}, name), el("dd", {}, code && el("code"))];

const memories = (memory, full) =>
  `${size(memory.resident_bytes)} resident, ${size(memory.virtual_bytes)} virtual`
  + (full ? `, ${size(full.unique_bytes)} its own` : "");

function signals(masks) {
  const some = Object.entries(masks).filter(([, names]) => names.length);
  const list = (names) => (names.length > 24 ? `${plural(names.length, "signal")}` : names.join(" "));
  return some.map(([kind, names]) => `${kind} ${list(names)}`).join("; ") || "nothing special";
}

function groups(cgroup) {
  const byPath = Map.groupBy(Object.entries(cgroup), ([, path]) => path);
  return [...byPath].map(([path, found]) => `${found.map(([name]) => name).join(",")}:${path}`).join("; ");
}

function orphans(adopter) {
  const where = adopter.process ? `would go to ${who(adopter.process)}` : "would go to nobody that is known";
  return `${where}${adopter.sure ? "" : ", not sure"}. ${adopter.detail ?? ""}`;
}
