// Signing in. Law of this file: what is seen of the page by whoever may see nothing, and the way to more.

import { access, onAccess, signIn, signOut } from "./access.js";
import { probe } from "./api.js";
import { byId, setText } from "./dom.js";
import { onChange, picture } from "./picture.js";

const AGAIN = 4_000; // ms between two looks at the probes, while they are all that we may ask

let wanted = false; // a person asked for the form

export function begin() {
  byId("signin-form").addEventListener("submit", (event) => {
    event.preventDefault();
    wanted = false;
    signIn(byId("token").value);
    byId("token").value = "";
  });
  byId("signin-without").addEventListener("click", () => {
    wanted = false;
    if (access.denied) signOut();
    draw();
  });
  byId("sign").addEventListener("click", () => {
    if (access.token && !access.denied) return signOut();
    wanted = !wanted;
    draw();
    return byId("token").focus();
  });
  onAccess(draw);
  onChange(draw);
  draw();
  look();
}

function draw() {
  const asking = wanted || access.denied;
  if (asking && byId("signin").hidden) queueMicrotask(() => byId("token").focus());
  byId("signin").hidden = !asking;
  byId("content").hidden = access.denied || picture.takenAt === null;
  byId("signin-without").hidden = access.denied && !access.token && !access.unfit;
  setText(byId("sign"), access.token && !access.denied ? "Sign out" : "Sign in");
  setText(byId("signin-why"), why());
}

function why() {
  if (!access.denied) return "A token of role control lets you act, one of role read lets you look.";
  if (access.unfit) return access.why;
  if (!access.token) return "To look you need a token of role read; to act, one of role control.";
  const before = picture.takenAt === null ? "" : "It was good until now; it has been changed or withdrawn. ";
  return `This token does not let you in. ${before}The init says: ${access.why}`;
}

/** The two things that everybody may know. */
async function look() {
  if (access.denied && !document.hidden) {
    const say = async (name) => {
      const { ok } = await probe(`/${name}z`).catch(() => ({ ok: false }));
      return `${ok ? "" : "not "}${name}`;
    };
    setText(byId("probes"), (await Promise.all([say("live"), say("ready")])).join(", "));
  }
  setTimeout(look, access.denied ? AGAIN : AGAIN / 4);
}
