// Events in words, one line each. Law of this file: pure, and total: a kind or a field that it does not know
// is still shown, plainly. The groups are what the feed can be filtered by.

import { count, duration, exit, plural, who } from "./words.js";

const GROUP_OF = {
  adopted: "orphans", reparented: "orphans", reaped: "reaps", status: "main", drain: "main", shutdown: "main",
  "pids.high": "room", "pids.normal": "room", "fork.failed": "room", gap: "gap",
};
export const GROUPS = ["main", "orphans", "zombies", "signals", "room", "checks", "web", "reaps"];

export function groupOf(kind) {
  if (kind in GROUP_OF) return GROUP_OF[kind];
  const head = kind.split(".")[0];
  return { zombie: "zombies", signal: "signals", check: "checks", web: "web", main: "main" }[head] ?? "main";
}

/** How much it matters: bad, warn, good or plain. */
const TONES = {
  bad: ["main.exited", "fork.failed", "check.failed", "gap"],
  warn: ["web.exited", "main.backoff", "main.stopped", "zombie.found", "pids.high", "drain", "shutdown"],
  good: ["main.started", "main.ready", "check.passed", "zombie.gone", "pids.normal"],
};

export const tone = ({ kind }) => Object.keys(TONES).find((each) => TONES[each].includes(kind)) ?? "plain";

/** One line. */
export const sentence = (event) => (SAID[event.kind] ?? plainly)(event);

/** Whether two lines differ in their pids and totals only. */
export const alike = (one, other) => plain(one) === plain(other);

const plain = (text) => text.replace(/\(\d+\)|[\d,]+ in all/g, "");

const because = (why) => (why ? `: ${why}` : "");

const SAID = {
  "main.started": (e) => `${who(e.process)} started${e.restarts ? `, restart ${count(e.restarts)}` : ""}`,
  "main.ready": (e) => `${who(e.process)} says it is ready, after ${duration(e.after_seconds)}`,
  "main.exited": (e) => `${who(e.process)} exited, ${exit(e)}`,
  "main.backoff": (e) => `main starts again in ${duration(e.delay_seconds)}${because(e.why)}`,
  "main.stopped": (e) => (e.held ? "main is stopped until somebody starts it" : "main is stopped"),
  adopted,
  reaped,
  reparented: (e) => `${who(e.process)}, orphan of ${who(e.former_parent)}, went to ${who(e.new_parent)}`,
  "zombie.found": found,
  "zombie.gone": gone,
  "signal.sent": sent,
  "signal.forwarded": forwarded,
  "web.started": (e) => `web started as pid ${e.process?.pid}`,
  "web.exited": (e) => `web exited, ${exit(e)}; it starts again`,
  "pids.high": (e) => `the container is nearly full: ${e.current} of ${e.max} pids`,
  "pids.normal": (e) => `there is room again: ${e.current} of ${e.max} pids`,
  "fork.failed": (e) => `cannot start ${e.unit}: ${e.why}${limit(e)}`,
  "check.passed": (e) => `${e.check} passes`,
  "check.failed": (e) => `${e.check} fails${because(e.why)}${e.output ? `, “${e.output}”` : ""}`,
  status: (e) => `main says “${e.text}”`,
  drain: () => "draining: not ready from now on",
  shutdown: (e) => `shutting down, exit code ${e.code}`,
  gap: (e) => `${plural(e.missed, "event")} missed, ${e.first} to ${e.last}`,
};

function reaped(e) {
  if (e.count) return `a storm: ${plural(e.count, "orphan")} reaped`;
  return `${e.origin === "adopted" ? "orphan " : ""}${who(e.process)} reaped, ${exit(e)}`;
}

function adopted(event) {
  const from = event.former_parent;
  const dead = event.seen === "dead" ? ", already dead" : "";
  if (!from) return `${who(event.process)} adopted, former parent unknown${dead}${because(event.why)}`;
  const sure = event.how === "inferred" ? ", as far as can be told" : "";
  return `${who(event.process)} adopted, orphan of ${who(from)}${dead}${sure}`;
}

function found(event) {
  const named = [event.process?.name, "zombie"].filter(Boolean).join(" ");
  return `${who(event.culprit)} left ${plural(event.count, named)}, ${count(event.total)} in all`;
}

function gone(event) {
  const named = [event.process?.name, "zombie"].filter(Boolean).join(" ");
  return `${plural(event.count, named)} of ${who(event.culprit)} gone, ${count(event.total)} in all`;
}

function sent(event) {
  const by = event.by ? ` by ${event.by.role} from ${event.by.peer}` : "";
  const outcome = event.outcome && event.outcome !== "sent" ? `, not delivered: ${event.outcome}` : "";
  const why = event.source && event.source !== "api" ? ` (${event.source})` : "";
  return `${event.signal} sent to ${who(event.process)}${by}${why}${outcome}`;
}

function forwarded(event) {
  const from = event.sender?.pid ? ` from ${who(event.sender)}` : " from outside";
  const as = event.received && event.received !== event.signal ? `, received as ${event.received}` : "";
  return `${event.signal}${from} forwarded to ${who(event.process)}${as}`;
}

function limit(event) {
  if (!event.limit || event.limit === "unknown") return event.room ? ` (${event.room})` : "";
  return `, at the limit ${event.limit}${event.room ? ` (${event.room})` : ""}`;
}

function plainly({ kind, seq: _, at: __, process, ...rest }) {
  const fields = Object.entries(rest).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return [kind, process ? who(process) : null, ...fields].filter(Boolean).join(" ");
}
