// Whatever changes something in the container. Law of this file: nothing is done before a person said yes in
// a dialog (a nudge alone goes at once: a parent that reaps is meant to get SIGCHLD), and how it went is
// always said.

import { whyNot } from "./access.js";
import { byId, el, setText } from "./dom.js";
import { order } from "./live.js";
import { picture } from "./picture.js";
import { count, plural, who } from "./words.js";

const COMMON = ["TERM", "INT", "HUP", "QUIT", "KILL", "USR1", "USR2", "STOP", "CONT", "CHLD"];
const OTHERS = ["ABRT", "ALRM", "BUS", "FPE", "ILL", "IO", "PIPE", "PROF", "PWR", "SEGV", "STKFLT", "SYS",
  "TRAP", "TSTP", "TTIN", "TTOU", "URG", "VTALRM", "WINCH", "XCPU", "XFSZ"];
const REAL_TIME = ["RTMIN", ...Array.from({ length: 30 }, (_, n) => `RTMIN+${n + 1}`)];
const UNTIL_DONE = 30; // s that an answer waits for a restart, stop or start to end
const TOLD = 9_000; // ms that a note stays
const NOTES = 4; // at once, the newest

/** Say how something went, for a while. */
export function tell(text, tone = "plain") {
  const toast = el("p", { class: `toast ${tone}` }, text);
  byId("toasts").append(toast);
  if (byId("toasts").children.length > NOTES) byId("toasts").firstElementChild.remove();
  setTimeout(() => toast.remove(), TOLD);
}

/** Why main takes no orders from here; null where it does. */
export const whyNoOrders = () =>
  picture.status?.init.role === "observer" ? "Observing: there is no main to give orders to." : whyNot();

/** What a button that may not act says. */
function forbidden(why) {
  if (why) tell(why, "warn");
  return why !== null;
}

/** Ask in a dialog; null is no, a signal's name or true is yes. */
function ask({ title, text, yes, danger = false, signals = false }) {
  const dialog = byId("ask");
  setText(byId("ask-title"), title);
  setText(byId("ask-text"), text);
  setText(byId("ask-yes"), yes);
  byId("ask-yes").className = danger ? "danger" : "primary";
  byId("ask-signal-label").hidden = !signals;
  byId("ask-signal").value = "TERM";
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    const closed = () => resolve(dialog.returnValue ? (signals ? byId("ask-signal").value : true) : null);
    dialog.addEventListener("close", closed, { once: true });
  });
}

const askSignal = (title, text) => ask({ title, text, yes: "Send", danger: true, signals: true });

/** Do it, and say how it went: `said` makes the words from the answer. */
async function perform(path, body, said, patience) {
  try {
    const answer = await order(path, body, patience);
    const short = answer.helped === false || answer.state === "failed";
    tell(said(answer), short ? "warn" : "good");
  } catch (problem) {
    tell(refusal(problem), "bad");
  }
}

function refusal(problem) {
  const ended = "Nothing was sent: that process has ended";
  if (problem.code === "reused_pid") return `${ended}, and another one has its pid now.`;
  if (problem.code === "no_such_process") return `${ended}.`;
  return whyNot() ?? problem.detail ?? String(problem);
}

const sent = (answer) => `${answer.signal} sent to ${who(answer.process)}.`;

export async function signalProcess(process) {
  if (forbidden(whyNot())) return;
  const text = `To process ${process.id}: should it end first, nothing is sent to another one with its pid.`;
  const signal = await askSignal(`Signal ${who(process)}`, text);
  if (signal) await perform(`/api/v1/processes/${process.id}/signal`, { signal }, sent);
}

export async function signalMain() {
  if (forbidden(whyNoOrders())) return;
  const text = "It gets what you choose here, and nothing follows from it: no stop, no KILL after a while.";
  const signal = await askSignal("Signal main", text);
  if (signal) await perform("/api/v1/main/signal", { signal }, sent);
}

const OPERATIONS = {
  restart: ["Restart main", "Main is stopped, by its stop signal and then by KILL, and started again."],
  stop: ["Stop main", "Main is stopped and stays stopped, until somebody starts it. The container goes on."],
  start: ["Start main", "Main is started again."],
};

export async function operate(action) {
  if (forbidden(whyNoOrders())) return;
  const [title, text] = OPERATIONS[action];
  if (!(await ask({ title, text, yes: title, danger: action !== "start" }))) return;
  const said = (operation) => `${title}: ${operation.state}. ${operation.detail ?? ""}`;
  await perform(`/api/v1/main/${action}?wait=${UNTIL_DONE}`, null, said, (UNTIL_DONE + 5) * 1000);
}

export async function drain() {
  if (forbidden(whyNoOrders())) return;
  const text = "Readiness goes off, so that no new work comes; main goes on. A restart of main ends it.";
  if (await ask({ title: "Drain", text, yes: "Drain", danger: true })) {
    await perform("/api/v1/drain", null, () => "Draining: not ready from now on.");
  }
}

/** Send the parent of zombies SIGCHLD, and say whether it reaped. */
export async function nudge(parent) {
  if (!parent || forbidden(whyNot())) return;
  await perform(`/api/v1/zombies/${parent.id}/nudge`, null, (answer) =>
    answer.helped
      ? `${who(answer.process)} reaped: ${count(answer.before)} zombies before, ${count(answer.after)} now.`
      : `${who(answer.process)} got SIGCHLD and still has ${plural(answer.after, "zombie")}.`);
}

/** The menu goes, and the keyboard back to its button. */
export function closeMenu() {
  byId("menu").hidePopover();
  byId("more").focus();
}

export function begin() {
  const group = (label, names) => el("optgroup", { label }, names.map((name) => el("option", {}, name)));
  byId("ask-signal").append(group("Common", COMMON), group("Others", OTHERS), group("Real-time", REAL_TIME));
  byId("restart").addEventListener("click", () => operate("restart"));
  byId("signal-main").addEventListener("click", signalMain);
  byId("stop").addEventListener("click", () => operate("stop"));
  byId("start").addEventListener("click", () => operate("start"));
  byId("drain").addEventListener("click", drain);
  // First, so that a dialog that opens then leads back to the menu's button.
  byId("menu").addEventListener("click", closeMenu, { capture: true });
}
