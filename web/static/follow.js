// The event stream. Law of this file: it keeps the feed whole: what was missed while away is fetched, in
// order, and a gap is an event like others. It never gives up, and while nobody looks it lets go of its
// place: there are 64 of them for all pages.

import { access, onAccess } from "./access.js";
import { Problem, get, stream } from "./api.js";
import { take as intoFeed, clear } from "./feed.js";
import { lost, stir } from "./live.js";

const FIRST = 400; // events fetched at the start
const WAITS = [100, 500, 1_500, 4_000, 10_000]; // ms between attempts

let seen = null; // number of the last event we have; null: none yet
let current = new AbortController();
let wake = () => {};

/** Begin to follow, for as long as the page is there. */
export async function begin() {
  document.addEventListener("visibilitychange", () => (document.hidden ? current.abort() : wake()));
  onAccess(again);
  for (let failures = 0; ; ) {
    while (document.hidden || access.denied) await sleep(60_000);
    current = new AbortController();
    const began = performance.now();
    try {
      await catchUp();
      await read();
      if (!current.signal.aborted) lost(null);
    } catch (problem) {
      if (!(problem instanceof Problem)) reportError(problem);
      if (!current.signal.aborted && problem.code !== "overloaded") lost(null);
    }
    failures = performance.now() - began > 5_000 ? 0 : Math.min(failures + 1, WAITS.length - 1);
    if (!current.signal.aborted) await sleep(WAITS[failures] * (0.75 + Math.random() / 2));
  }
}

/** Another init, or another caller: from the start. */
export function restart() {
  seen = null;
  clear();
  again();
}

function again() {
  current.abort();
  wake();
}

const sleep = (ms) =>
  new Promise((resolve) => {
    wake = resolve;
    setTimeout(resolve, ms);
  });

async function catchUp() {
  const query = seen === null ? `limit=${FIRST}` : `after=${seen}`;
  const page = await get(`/api/v1/events?${query}`, { signal: current.signal });
  if (seen !== null && page.next < seen) clear(); // another init: its numbers begin anew
  take(page.events);
  seen = page.next;
}

async function read() {
  for await (const events of stream(`/api/v1/events?after=${seen}`, current.signal)) {
    if (!events.length) continue;
    take(events);
    seen = events.at(-1).seq;
  }
}

function take(events) {
  intoFeed(events);
  if (events.length) stir();
}
