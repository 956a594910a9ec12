// The header: is main well, how much room is left. Law of this file: the picture's status in, words and bars
// out.

import { onAccess } from "./access.js";
import { whyNoOrders } from "./actions.js";
import { probe } from "./api.js";
import { byId, setAttr, setText, shownLines } from "./dom.js";
import { adoptionsPerMinute, age, now, onChange, picture, since } from "./picture.js";
import { UNKNOWN, count, duration, exit, growth, plural, size } from "./words.js";

const NEARLY = 0.8; // of a limit: from here on it is a warning, as in pids.high
const FULL = 0.95;

export function begin() {
  for (const draw of [header, orders]) onChange(draw);
  onAccess(orders);
  setInterval(ticking, 1_000);
  for (const name of ["ready", "live"]) explained(byId(name), `/${name}z`);
  orders();
}

function header() {
  const { status } = picture;
  link();
  if (!status) return;
  const { init, main } = status;
  setText(byId("role"), `${ROLES[init.role] ?? init.role} · ${init.version}`);
  setText(byId("command"), main.argv.join(" "));
  setAttr(byId("command"), "title", main.argv.join(" "));
  document.title = `${main.argv[0]?.split("/").at(-1) ?? "initd"} · initd`;
  tileOfMain(main, init);
  tileOfHealth(status);
  tileOfPids(status.pids);
  tileOfMemory(status.room?.memory, status.room?.cpu);
  tileOfZombies(status);
  tileOfOrphans(status);
  ticking();
}

const ROLES = { pid1: "PID 1", observer: "observer" };

/** What goes on between two pictures. */
function ticking() {
  link();
  if (!picture.status) return;
  const { main, init } = picture.status;
  const from = main.pid ? main.started_at : init.started_at;
  setText(byId("main-up"), main.pid || init.role === "observer" ? `up ${duration(since(from))}` : "");
}

function link() {
  const old = picture.takenAt === null ? null : age();
  const word = picture.link === "live" && picture.paused ? "paused" : picture.link;
  setAttr(document.documentElement, "data-link", word);
  setText(byId("link-text"), { lost: "disconnected, trying again", closed: "no access" }[word] ?? word);
  setText(byId("picture-age"), old === null ? "" : `picture ${old < 1 ? "now" : `${duration(old)} old`}`);
  byId("banner").hidden = picture.link !== "lost";
  const kept = old === null ? "" : "What you see is as it was. ";
  setText(byId("banner"), `Disconnected, trying again. ${kept}${picture.why ?? ""}`);
}

function tileOfMain(main, init) {
  const observing = init.role === "observer";
  tile("main", { running: "good", stopped: "warn" }[main.state] ?? "bad", observing);
  setText(byId("main-state"), observing ? "observing" : main.state);
  const last = main.last_exit;
  const notes = [
    main.hook && `${main.hook} is running`,
    main.status_text && `“${main.status_text}”`,
    main.reloading && "reloading",
    observing ? "nothing is supervised here" : plural(main.restarts, "restart"),
    last && `last exit ${exit(last)}, ${duration(since(last.at))} ago`,
  ];
  note("main", notes.filter(Boolean).join(" · "));
}

function tileOfHealth(status) {
  const checks = status.main.checks ?? [];
  const failing = checks.filter((check) => check.passing === false);
  const live = picture.link === "live";
  tile("health", status.ready && live ? "good" : "bad");
  state(byId("ready"), "ready", status.ready);
  state(byId("live"), "live", live);
  const stopping = status.init.phase && status.init.phase !== "up" ? status.init.phase : null;
  const notes = [status.draining && "draining", stopping, ...failing.map((check) => `${check.name} fails`)];
  note("health", notes.filter(Boolean).join(" · ") || (checks.length ? plural(checks.length, "check") : ""));
}

function state(button, word, good) {
  setText(button, good ? word : `not ${word}`);
  setAttr(button, "class", `probe ${good ? "good" : "bad"}`);
}

function tileOfPids(pids) {
  setText(byId("pids"), `${count(pids.current)} / ${pids.max == null ? "no limit" : count(pids.max)}`);
  bar("pids", pids.current, pids.max);
  const full = pids.minutes_until_full;
  const notes = [full == null ? null : `full in ${duration(full * 60)}`, growth(pids.growth_per_minute)];
  note("pids", notes.filter(Boolean).join(" · ") || "steady");
}

function tileOfMemory(memory, cpu) {
  const max = memory?.max_bytes;
  setText(byId("memory"), `${size(memory?.current_bytes)} / ${max == null ? "no limit" : size(max)}`);
  bar("memory", memory?.current_bytes, max);
  const notes = [
    memory?.oom_kills ? plural(memory.oom_kills, "OOM kill") : null,
    cpu?.throttled_seconds ? `CPU throttled ${duration(cpu.throttled_seconds)}` : null,
    cpu?.max_cores ? `of ${plural(cpu.max_cores, "core")}` : null,
  ];
  note("memory", notes.filter(Boolean).join(" · "));
}

function tileOfZombies(status) {
  tile("zombies", status.zombies ? "warn" : "plain");
  setText(byId("zombies"), count(status.zombies));
  const [worst] = picture.guilty;
  const whose = worst && `${count(worst.count)} of ${worst.process?.name ?? "a parent outside"}`;
  note("zombies", whose ?? `among ${plural(status.processes, "process", "processes")}`);
}

function tileOfOrphans(status) {
  const rate = adoptionsPerMinute();
  const digits = rate < 10 ? 1 : 0;
  setText(byId("adoptions"), rate === null ? UNKNOWN : count(Number(rate.toFixed(digits))));
  note("orphans", `${count(status.adopted.total)} adopted, ${count(status.adopted.alive)} alive`);
}

function bar(name, current, max) {
  const share = current != null && max ? Math.min(1, current / max) : 0;
  byId(`${name}-bar`).value = share;
  byId(`${name}-bar`).hidden = !max;
  tile(name, share >= FULL ? "bad" : share >= NEARLY ? "warn" : "plain");
}

const note = (name, text) => setText(byId(`${name}-note`), text);
const tile = (name, tone, plain = false) =>
  setAttr(byId(`tile-${name}`), "data-tone", plain ? "plain" : tone);

/** Buttons that may not act say so: by their state, their title, and in words beside them. */
function orders() {
  const why = whyNoOrders();
  for (const button of document.querySelectorAll(".order")) {
    setAttr(button, "aria-disabled", why ? "true" : null);
    setAttr(button, "title", why);
  }
  setText(byId("why-not"), why ?? "");
}

/** A probe's own words, as long as somebody points at its button or has the keyboard on it. */
function explained(button, path) {
  const box = byId("probe-says");
  const hide = () => box.hidePopover();
  const show = async () => {
    setText(box, "asking…");
    box.showPopover();
    place(box, button);
    const { lines } = await probe(path).catch(() => ({ lines: ["it does not answer"] }));
    box.textContent = shownLines(lines.join("\n"));
    place(box, button);
  };
  setAttr(button, "aria-describedby", box.id);
  for (const kind of ["pointerenter", "focus"]) button.addEventListener(kind, show);
  for (const kind of ["pointerleave", "blur"]) button.addEventListener(kind, hide);
}

/** Below it, and within the window. */
function place(box, under) {
  const { left, bottom } = under.getBoundingClientRect();
  const most = document.documentElement.clientWidth - box.offsetWidth - 8;
  Object.assign(box.style, { left: `${Math.max(8, Math.min(left, most))}px`, top: `${bottom + 6}px` });
}
