// Light or dark. Law of this file: the system's choice, unless a person made another; that one is remembered.

import { byId, setText } from "./dom.js";

const KEY = "initd.theme";
const system = matchMedia("(prefers-color-scheme: dark)");

let chosen = stored(); // light, dark or null

export function begin() {
  system.addEventListener("change", draw);
  byId("theme").addEventListener("click", toggle);
  draw();
}

export function toggle() {
  chosen = dark() ? "light" : "dark";
  try {
    localStorage.setItem(KEY, chosen);
  } catch {
    // storage is blocked: it lasts until a reload
  }
  draw();
}

const dark = () => (chosen ? chosen === "dark" : system.matches);

function draw() {
  if (chosen) document.documentElement.dataset.theme = chosen;
  setText(byId("theme"), dark() ? "Light" : "Dark");
}

function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
