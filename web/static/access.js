// Who we are to the API. Law of this file: the only place that knows the token. It lives in sessionStorage
// (this tab, until it is closed), and in no URL: one that came as #token= is taken out of the address at
// once.

const KEY = "initd.token";
const FIT = /^[\x21-\x7e]+$/; // what a header can carry, and a token of the init is made of
const UNFIT = "This is no token: it has spaces, line breaks or letters that are not ASCII.";
const listeners = new Set();

// role: what the API lets us do; null while it has not said. why: its own words when it refused us. unfit: we
// were given something that cannot be a token, and do not ask with it.
export const access = { token: null, role: null, denied: false, why: null, unfit: false };

/** Read the address and the store; once, at start. A link followed later works as well. */
export function begin() {
  signIn(stored() ?? "");
  fromAddress();
  window.addEventListener("hashchange", fromAddress);
}

function fromAddress() {
  const hash = location.hash.slice(1).replaceAll("+", "%2B"); // a token may have a plus, and no space
  const given = new URLSearchParams(hash).get("token");
  if (given === null) return;
  history.replaceState(null, "", location.pathname + location.search);
  signIn(given);
}

export function onAccess(listener) {
  listeners.add(listener);
}

function change(changes) {
  const before = JSON.stringify(access);
  Object.assign(access, changes);
  if (JSON.stringify(access) !== before) listeners.forEach((listener) => listener());
}

export function signIn(given) {
  const text = given.trim();
  const unfit = text !== "" && !FIT.test(text);
  const token = unfit ? null : text || null;
  store(token);
  change({ token, role: null, denied: unfit, why: unfit ? UNFIT : null, unfit });
}

export const signOut = () => signIn("");

/** The API said who we are (status.caller), or let us in without saying. Once denied, it is a late answer. */
export function admitted(caller) {
  if (access.denied) return;
  change({ denied: false, why: null, ...(caller ? { role: caller.role } : {}) });
}

/** The API refused to show anything: the page has to ask for a token. */
export const refused = (problem) => change({ denied: true, role: null, why: problem.detail });

/** The API refused to do something: so we may look, and no more. */
export const mayOnlyRead = () => change({ role: "read" });

/** Why the page cannot act, or null where it can. */
export function whyNot() {
  if (access.denied) return "Sign in first.";
  if (access.role === null || access.role === "control") return null;
  const you = access.token ? `your token has the role ${access.role}` : "without a token you may look";
  return `Read only: ${you}. This needs a token of role control.`;
}

function stored() {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null; // storage is blocked: the token lasts until a reload
  }
}

function store(token) {
  try {
    if (token) sessionStorage.setItem(KEY, token);
    else sessionStorage.removeItem(KEY);
  } catch {
    // as above
  }
}
