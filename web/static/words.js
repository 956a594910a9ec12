// Numbers and times as people read them. Law of this file: pure; values in, short text out; unknown is a
// dash.

export const UNKNOWN = "–";
const UNITS = [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]];
const grouped = new Intl.NumberFormat("en");

/** 9237 as 9,237. */
export const count = (value) => (value == null ? UNKNOWN : grouped.format(value));

export const plural = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

/** Seconds in their two largest units: 3h 12m. */
export function duration(seconds) {
  if (seconds == null || Number.isNaN(seconds)) return UNKNOWN;
  if (seconds > 0 && seconds < 1) return `${Math.max(1, Math.round(seconds * 1000))} ms`;
  let rest = Math.max(0, Math.floor(seconds));
  const parts = [];
  for (const [size, unit] of UNITS) {
    if (rest >= size || (size === 1 && !parts.length)) {
      parts.push(`${Math.floor(rest / size)}${unit}`);
      rest %= size;
    }
  }
  return parts.slice(0, 2).join(" ");
}

/** Bytes: 512K, 3.4M. */
export function size(bytes) {
  if (bytes == null) return UNKNOWN;
  let value = bytes / 1024;
  let unit = 0;
  while (value >= 1000 && unit < 3) [value, unit] = [value / 1024, unit + 1];
  return `${value >= 10 || unit === 0 ? Math.round(value) : value.toFixed(1)}${"KMGT"[unit]}`;
}

/** A share of one core: 0.4 is 40 %. */
export function percent(share) {
  if (share == null) return UNKNOWN;
  const value = share * 100;
  return value >= 9.95 ? Math.round(value).toString() : value.toFixed(1);
}

/** A change a minute, signed; nothing where it stands still. */
export function growth(perMinute) {
  if (perMinute == null || Math.abs(perMinute) < 0.05) return null;
  const value = Math.abs(perMinute) < 10 ? perMinute.toFixed(1) : count(Math.round(perMinute));
  return `${perMinute > 0 ? "+" : ""}${value}/min`;
}

/** worker(40). */
export const who = (process) => (process ? `${process.name || "?"}(${process.pid})` : "nobody");

/** 14:03:22 where the reader lives. */
export function clock(at) {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? "--:--:--" : date.toTimeString().slice(0, 8);
}

/** What an exit was: code 1, signal TERM. */
export function exit(end) {
  const how = end.signal != null ? `signal ${end.signal}` : `code ${end.code ?? "unknown"}`;
  return end.oom ? `${how}, out of memory` : how;
}
