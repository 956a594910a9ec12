// When to look. Law of this file: it decides when the API is asked for a picture, and for which parts of it;
// it shows nothing. At most once a second and only while somebody can see it; slower where answers are slow,
// so that neither 2,000 processes nor a hundred of us are a load; with jitter, so that a hundred do not come
// in step.

import { access, admitted, mayOnlyRead, onAccess, refused } from "./access.js";
import { Problem, get, post } from "./api.js";
import { changed, picture, takeStatus, takeTree } from "./picture.js";

const APART = 1_000; // ms between two pictures at least, when something happened
const SHARE = 10; // an answer that took t is asked for again after 10 t: one page keeps web busy a tenth
const RETRY = [300, 600, 1_200, 2_500, 5_000]; // ms; the first is how long web needs to be back

let timer = null;
let busy = false;
let stirred = false; // something happened since the last picture
let last = -Infinity;
let spacing = APART;
let failures = 0;
let onReplaced = () => {};

/** Begin to look; `replaced` is called when another init answers than before. */
export function begin(replaced) {
  onReplaced = replaced;
  document.addEventListener("visibilitychange", plan);
  onAccess(admission);
  admission();
}

/** Whoever is denied before we ask is told so as well. */
function admission() {
  if (access.denied) changed({ link: "closed" });
  else look();
}

/** Something happened: the next picture comes as early as it may. */
export function stir() {
  stirred = true;
  plan();
}

/** A person did something and waits to see it. */
export function look() {
  last = -Infinity;
  stir();
}

export function pause(paused) {
  changed({ paused });
  look();
}

/** The stream broke: there may be nobody to answer. */
export function lost(why) {
  if (picture.link === "live") changed({ link: "lost", why });
  stir();
}

/** A picture that stands still. While nobody is known to answer, that alone is asked all the same. */
const held = () => picture.paused && picture.takenAt !== null;

function plan() {
  clearTimeout(timer);
  const enough = held() && picture.link === "live";
  if (busy || document.hidden || enough || access.denied) return;
  const wait = failures ? RETRY[Math.min(failures, RETRY.length) - 1] : stirred ? spacing : 2 * spacing;
  timer = setTimeout(round, Math.max(0, last + wait * (0.9 + 0.2 * Math.random()) - performance.now()));
}

async function round() {
  [busy, stirred] = [true, false];
  const began = performance.now();
  try {
    await take();
    failures = 0;
  } catch (problem) {
    failed(problem);
  }
  last = performance.now();
  spacing = Math.max(APART, (last - began) * SHARE);
  busy = false;
  plan();
}

async function take() {
  const status = await get("/api/v1/status");
  admitted(status.caller);
  if (access.denied) return; // by now, and this answer is to who we were
  if (held()) return changed({ link: "live", why: null });
  const adopted = picture.status?.adopted.total;
  if (takeStatus(status)) onReplaced();
  const stale = picture.lineage === null || status.adopted.total !== adopted || status.adopted.alive > 0;
  const [tree, zombies, lineage] = await Promise.all([
    get("/api/v1/tree"),
    status.zombies ? get("/api/v1/zombies") : { total: 0, culprits: [] },
    stale ? get("/api/v1/lineage") : undefined,
  ]);
  if (!held() && !access.denied) takeTree(tree, zombies, lineage);
}

function failed(problem) {
  failures += 1;
  if (!(problem instanceof Problem)) reportError(problem); // ours: shown where such things are looked for
  const closed = problem.status === 401 || problem.status === 403;
  if (closed) refused(problem);
  changed({ link: closed ? "closed" : "lost", why: problem.status ? problem.detail : null });
}

/** POST what a person ordered. A refusal for the role teaches us ours; whatever happened is worth a look. */
export async function order(path, body, patience) {
  try {
    return await post(path, body, patience);
  } catch (problem) {
    if (problem.status === 401 || problem.code === "forbidden") mayOnlyRead();
    throw problem;
  } finally {
    look();
  }
}
