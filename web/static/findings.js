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
  const shown = culprits.slice(0, MOST).map(said);
  const list = byId("culprits");
  refill(list, [shown.map(({ process, title }) => [process?.id, title]), whyNot()], () => shown.map(leak));
  shown.forEach((culprit, at) => write(list.children[at], culprit));
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
    why: why?.detail ?? "",
  };
}

/** What stands still of a culprit; `write` says the rest. */
function leak({ process, title }) {
  return el("li", {},
    el("div", { class: "line" },
      process ? link(title, () => open(process)) : el("b", {}, title),
      el("span", { class: "chip culprit" }),
      process && nudging(process, title)),
    el("p"),
    el("small"));
}

function write(item, { many, more, why }) {
  const [, reason, small] = item.children;
  setText(item.querySelector(".culprit"), many);
  setText(reason, why);
  reason.hidden = !why;
  setText(small, more);
}

function nudging(process, title) {
  const no = whyNot();
  const states = { "aria-disabled": no && "true", title: no ?? "Send it SIGCHLD, and see whether it reaps" };
  const button = { type: "button", class: "small", "aria-label": `Nudge ${title}`, ...states };
  return el("button", { ...button, on: { click: () => nudge(process) } }, "Nudge");
}

const link = (text, act) => el("button", { type: "button", class: "plain", on: { click: act } }, text);

function lineage() {
  const { former_parents: parents = [], unknown, subreapers = [] } = picture.lineage ?? {};
  const shown = parents.slice(0, MOST);
  const nobody = unknown?.orphans ? [unknown] : [];
  const some = shown.length + nobody.length > 0;
  const made = [shown.map(({ name, cmdline }) => [name, cmdline]), nobody.length, subreapers];
  refill(byId("parents"), made, () => (some ? table(shown, nobody, subreapers) : []));
  const lines = byId("parents").querySelectorAll("tbody tr");
  [...shown, ...nobody].forEach((parent, at) => tally(lines[at], parent));
  setText(byId("lineage-empty"), some ? rest(parents.length) : "No orphans were adopted yet.");
}

function table(parents, nobody, subreapers) {
  const heads = ["Former parent", "Orphans", "Alive", "Median life"];
  return [
    el("table", {},
      el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, parents.map(ancestor), nobody.map(() => line(el("i", {}, "unknown"))))),
    subreapers.length ? el("p", {}, `Other subreapers: ${subreapers.map(who).join(", ")}.`) : null,
  ];
}

/** One row for equal parents; its link leads to the last of them. */
function ancestor({ name, cmdline }) {
  const made = line([
    link(name ?? "?", () => open(made.last)),
    el("span", { class: "dim" }),
    cmdline ? el("code", {}, cmdline) : null,
  ]);
  return made;
}

const line = (head) =>
  el("tr", {}, el("th", { scope: "row" }, head), ["orphans", "alive", "life"].map(() => el("td")));

/** What changes from picture to picture. */
function tally(row, { last, parents, orphans, alive, median_lifetime_seconds: life }) {
  row.last = last;
  const many = row.querySelector(".dim");
  if (many) setText(many, parents > 1 ? ` × ${count(parents)}` : "");
  [count(orphans), count(alive), duration(life)].forEach((text, at) => setText(row.cells[at + 1], text));
}
