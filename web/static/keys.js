// Keys and buttons of the page as a whole. Law of this file: which key does what; the tree's own keys are
// grid.js's.

import { closeMenu, tell } from "./actions.js";
import { getText } from "./api.js";
import * as detail from "./detail.js";
import { astray, byId, setAttr, setText } from "./dom.js";
import { pause } from "./live.js";
import { picture } from "./picture.js";
import * as theme from "./theme.js";
import * as tree from "./tree.js";

const onlyZombies = () => tree.look({ zombies: !tree.view.zombies });

const KEYS = {
  "/": () => byId("filter").focus(),
  z: onlyZombies,
  p: hold,
  c: copy,
  t: theme.toggle,
  "?": () => byId("help").showModal(),
  Escape: back,
};

export function begin() {
  const buttons = { pause: hold, "help-open": KEYS["?"], "only-zombies": onlyZombies, copy };
  for (const [id, act] of Object.entries(buttons)) byId(id).addEventListener("click", act);
  byId("unfold").addEventListener("click", tree.unfoldAll);
  byId("filter").addEventListener("input", (event) => tree.look({ words: event.target.value }));
  byId("filter").addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "Enter") tree.focus();
  });
  byId("menu").addEventListener("toggle", (event) => event.newState === "open" && placeMenu());
  for (const dialog of document.querySelectorAll("dialog")) dialog.addEventListener("close", closed);
  document.addEventListener("keydown", pressed);
}

function pressed(event) {
  const writing = event.target.closest?.("input, select, textarea");
  const elsewhere = event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]");
  if (elsewhere || event.defaultPrevented || (writing && event.key !== "Escape")) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

function hold() {
  pause(!picture.paused);
  setAttr(byId("pause"), "aria-pressed", String(picture.paused));
  setText(byId("pause"), picture.paused ? "Go on" : "Pause");
}

/** A dialog leads back to what opened it, unless that is gone by now. */
function closed() {
  if (astray()) tree.focus();
}

/** Close the last thing that was opened; the keyboard returns to the tree. */
function back() {
  byId("probe-says").hidePopover();
  if (byId("menu").matches(":popover-open")) return closeMenu();
  if (detail.isOpen()) detail.close();
  else tree.look({ words: "", zombies: false });
  return tree.focus();
}

async function copy() {
  try {
    const text = await getText("/api/v1/tree");
    await clipped(text);
  } catch (problem) {
    tell(problem.detail ?? String(problem), "bad");
  }
}

/** The clipboard is for safe origins only; elsewhere the text is shown, ready to be copied by hand. */
async function clipped(text) {
  try {
    await navigator.clipboard.writeText(text);
    tell("The tree is in the clipboard.", "good");
  } catch {
    byId("text-body").value = text;
    byId("text").showModal();
    byId("text-body").select();
  }
}

/** Below its button. */
function placeMenu() {
  const { right, bottom } = byId("more").getBoundingClientRect();
  const menu = byId("menu");
  Object.assign(menu.style, { left: `${Math.max(8, right - menu.offsetWidth)}px`, top: `${bottom + 4}px` });
}
