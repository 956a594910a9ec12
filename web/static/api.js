// Talking to the API. Law of this file: the only place that fetches. Every answer is a value or a Problem; a
// Problem without a status means that there was no answer at all.

import { access } from "./access.js";

const PATIENCE = 10_000; // ms; what takes longer is no picture of now
const SILENCE = 40_000; // ms; a stream says something every 15 s

export class Problem extends Error {
  constructor(status, document) {
    super(document.detail || document.title || `the answer was ${status}`);
    this.status = status;
    this.code = document.code || "";
    this.detail = this.message;
  }

  /** Nothing we asked was wrong: it is away, or busy, and may be back. */
  get passing() {
    return this.status === 0 || this.status >= 500;
  }
}

async function ask(path, { signal, patience = PATIENCE, ...options } = {}) {
  const headers = { ...options.headers };
  if (access.token) headers.Authorization = `Bearer ${access.token}`;
  const limit = patience ? AbortSignal.timeout(patience) : null;
  const signals = [signal, limit].filter(Boolean);
  try {
    const init = { ...options, headers, cache: "no-store", signal: AbortSignal.any(signals) };
    const answer = await fetch(path, init);
    if (!answer.ok) throw new Problem(answer.status, await problemIn(answer));
    return answer;
  } catch (error) {
    throw named(error);
  }
}

const problemIn = (answer) => answer.json().catch(() => ({}));

function named(error) {
  if (error instanceof Problem) return error;
  const why = error.name === "TimeoutError" ? "it did not answer in time" : "it does not answer";
  return new Problem(0, { detail: `cannot reach the init: ${why}` });
}

async function read(answer, how) {
  try {
    return await answer[how]();
  } catch (error) {
    throw named(error); // it went away in mid-answer
  }
}

export const get = async (path, options) => read(await ask(path, options), "json");

export const getText = async (path) =>
  read(await ask(path, { headers: { Accept: "text/plain" } }), "text");

export async function post(path, body, patience) {
  const options = { method: "POST", patience };
  if (body) {
    options.body = JSON.stringify(body);
    options.headers = { "Content-Type": "application/json" };
  }
  return read(await ask(path, options), "json");
}

/** A probe's own words: whether it passes, and its lines. It needs no right. */
export async function probe(path) {
  const answer = await fetch(`${path}?verbose`, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
  return { ok: answer.ok, lines: (await answer.text()).trim().split("\n") };
}

/** Server-sent events as they come, in lists, until the server ends it. EventSource cannot send a token. */
export async function* stream(path, outer) {
  const inner = new AbortController();
  const signal = AbortSignal.any([outer, inner.signal]);
  const answer = await ask(path, { headers: { Accept: "text/event-stream" }, signal, patience: 0 });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let silence = setTimeout(() => inner.abort(), SILENCE);
  let rest = "";
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      clearTimeout(silence);
      silence = setTimeout(() => inner.abort(), SILENCE);
      const frames = (rest + piece.value).split("\n\n");
      rest = frames.pop();
      yield frames.map(event).filter(Boolean);
    }
  } catch (error) {
    throw named(error);
  } finally {
    clearTimeout(silence);
    inner.abort();
  }
}

function event(frame) {
  const line = frame.split("\n").find((each) => each.startsWith("data: "));
  return line ? JSON.parse(line.slice(6)) : null;
}
