// Who does not reap, and whose orphans there are. Law of this file: the answers of /zombies and /lineage as
// lists.

import { onAccess, whyNot } from "./access.js";
import { nudge } from "./actions.js";
import { byId, el, refill, setText } from "./dom.js";
import { onChange, picture, since } from "./picture.js";
import { count, duration, growth, plural, who } from "./words.js";

const MOST = 8; // of each; the API has them all

let open = () => {};

/** `onProcess` is called with a process that was chosen here. */
export function begin(onProcess) {
  open = onProcess;
  for (const listen of [onChange, onAccess]) listen(draw);
}

function draw() {
  leaks();
  lineage();
}

function leaks() {
  const culprits = picture.guilty;
  const shown = culprits.slice(0, MOST);
  refill(byId("culprits"), [shown.map(said), whyNot()], () => shown.map(leak));
  const none = "No zombies: every child that ended was waited for.";
  setText(byId("leaks-empty"), culprits.length ? rest(culprits.length) : none);
}

const rest = (all) => (all > MOST ? `and ${plural(all - MOST, "more", "more")}` : "");

/** What is written of a culprit. */
function said(culprit) {
  const { process, names, why } = culprit;
  const rate = growth(culprit.growth_per_minute);
  const age = duration(since(culprit.oldest_at, picture.takenAt));
  return {
    process: process && { id: process.id, pid: process.pid, name: process.name },
    title: process ? who(process) : "a parent outside this namespace",
    many: plural(culprit.count, "zombie"),
    more: [`${(names ?? []).join(", ")}`, `oldest started ${age} ago`, rate].filter(Boolean).join(" · "),
    why: why?.detail ?? null,
  };
}

function leak(culprit) {
  const { process, title, many, more, why } = said(culprit);
  return el("li", {},
    el("div", { class: "line" },
      process ? link(process, title) : el("b", {}, title),
      el("span", { class: "chip culprit" }, many),
      process && nudging(process, title)),
    why && el("p", {}, why),
    el("small", {}, more));
}

function nudging(process, title) {
  const no = whyNot();
  const states = { "aria-disabled": no && "true", title: no ?? "Send it SIGCHLD, and see whether it reaps" };
  const button = { type: "button", class: "small", "aria-label": `Nudge ${title}`, ...states };
  return el("button", { ...button, on: { click: () => nudge(process) } }, "Nudge");
}

const link = (process, text) =>
  el("button", { type: "button", class: "plain", on: { click: () => open(process) } }, text);

function lineage() {
  const { former_parents: parents = [], unknown, subreapers = [] } = picture.lineage ?? {};
  const some = parents.length > 0 || unknown?.orphans > 0;
  const made = [parents.slice(0, MOST), unknown, subreapers];
  refill(byId("parents"), made, () => (some ? table(...made) : []));
  setText(byId("lineage-empty"), some ? rest(parents.length) : "No orphans were adopted yet.");
}

function table(parents, unknown, subreapers) {
  const heads = ["Former parent", "Orphans", "Alive", "Median life"];
  const nobody = unknown?.orphans ? numbers(el("i", {}, "unknown"), unknown) : null;
  return [
    el("table", {},
      el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, parents.map(ancestor), nobody)),
    subreapers.length ? el("p", {}, `Other subreapers: ${subreapers.map(who).join(", ")}.`) : null,
  ];
}

function ancestor(parent) {
  const many = parent.parents > 1 ? el("span", { class: "dim" }, ` × ${count(parent.parents)}`) : null;
  const command = parent.cmdline ? el("code", {}, parent.cmdline) : null;
  return numbers([link(parent.last, parent.name ?? "?"), many, command], parent);
}

function numbers(head, { orphans, alive, median_lifetime_seconds: life }) {
  const cells = [count(orphans), count(alive), duration(life)].map((text) => el("td", {}, text));
  return el("tr", {}, el("th", { scope: "row" }, head), cells);
}
