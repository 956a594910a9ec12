// The tree's window. Law of this file: rows in, elements for those in sight out, however many there are; and
// the one row that the keyboard is on. It knows nothing of processes: `fill` writes a row, `act` does what
// was asked.

import { setAttr } from "./dom.js";

const SPARE = 8; // rows beyond the edges, so that scrolling finds them made

export class Grid {
  /** `box` scrolls, `body` within it holds the rows; `made` makes an empty row, `fill` writes one. */
  constructor(box, body, { made, fill, act }) {
    Object.assign(this, { box, body, made, fill, act });
    Object.assign(this, { rows: [], places: new Map(), elements: new Map(), active: null, wasAt: 0 });
    box.addEventListener("scroll", () => this.draw(), { passive: true });
    box.addEventListener("keydown", (event) => this.pressed(event));
    box.addEventListener("click", (event) => this.clicked(event));
    new ResizeObserver(() => this.draw()).observe(box);
  }

  /** Show these rows. What was at the top of the window stays there, wherever it is in the list now. */
  show(rows) {
    const top = Math.floor(this.box.scrollTop / this.height);
    const anchor = this.rows[top]?.key;
    this.rows = rows;
    this.places = new Map(rows.map((row, index) => [row.key, index]));
    if (!this.places.has(this.active)) this.active = rows[Math.min(this.wasAt, rows.length - 1)]?.key ?? null;
    this.body.style.height = `${rows.length * this.height}px`;
    setAttr(this.box, "aria-rowcount", rows.length + 1);
    const moved = (this.places.get(anchor) ?? top) - top;
    if (top > 0 && moved) this.box.scrollTop += moved * this.height;
    this.draw();
  }

  get height() {
    return parseFloat(getComputedStyle(this.box).getPropertyValue("--row"));
  }

  get at() {
    return this.places.get(this.active) ?? -1;
  }

  /** Make, place and fill what is in sight; the active row is always there, or the keyboard would lose it. */
  draw() {
    const height = this.height;
    const first = Math.max(0, Math.floor(this.box.scrollTop / height) - SPARE);
    const until = Math.ceil((this.box.scrollTop + this.box.clientHeight) / height) + SPARE;
    const sight = this.rows.slice(first, until).map((row, index) => [row, first + index]);
    const at = this.rows.length ? this.at : -1;
    if (at >= 0 && at < first) sight.unshift([this.rows[at], at]);
    if (at >= until) sight.push([this.rows[at], at]);
    this.wasAt = Math.max(0, at);
    const held = this.body.contains(document.activeElement);
    this.drop(new Set(sight.map(([row]) => row.key)));
    let place = this.body.firstChild;
    for (const [row, index] of sight) {
      const element = this.element(row);
      element.style.transform = `translateY(${index * height}px)`;
      this.describe(element, row, index);
      this.fill(element, row);
      if (element === place) place = place.nextSibling;
      else this.body.insertBefore(element, place);
    }
    if (held && !this.body.contains(document.activeElement)) this.focus(); // its row ended, or has moved
  }

  focus() {
    this.elements.get(this.active)?.focus({ preventScroll: true });
  }

  drop(wanted) {
    for (const [key, element] of this.elements) {
      if (!wanted.has(key)) {
        element.remove();
        this.elements.delete(key);
      }
    }
  }

  element(row) {
    if (!this.elements.has(row.key)) {
      const element = this.made();
      element.key = row.key;
      this.elements.set(row.key, element);
    }
    return this.elements.get(row.key);
  }

  describe(element, row, index) {
    setAttr(element, "aria-rowindex", index + 2);
    setAttr(element, "aria-level", row.level);
    setAttr(element, "aria-posinset", row.position);
    setAttr(element, "aria-setsize", row.siblings);
    setAttr(element, "aria-expanded", row.open === null ? null : String(row.open));
    setAttr(element, "tabindex", row.key === this.active ? "0" : "-1");
  }

  /** Make a row the active one, in sight, and give it the keyboard unless told otherwise. */
  go(index, focus = true) {
    const row = this.rows[Math.max(0, Math.min(index, this.rows.length - 1))];
    if (!row) return;
    this.active = row.key;
    const [top, height] = [this.at * this.height, this.height];
    const head = this.body.offsetTop; // the column heads stay on top of the rows
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    else if (top + height + head > this.box.scrollTop + this.box.clientHeight) {
      this.box.scrollTop = top + height + head - this.box.clientHeight;
    }
    this.draw();
    if (focus) this.focus();
  }

  clicked(event) {
    const element = event.target.closest("[role=row]");
    if (!element?.key || !this.places.has(element.key)) return;
    this.go(this.places.get(element.key), !event.target.closest("button"));
    const row = this.rows[this.at];
    this.act(event.target.closest("[data-act]")?.dataset.act ?? "choose", row);
  }

  pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("button")) return;
    const row = this.rows[this.at];
    const page = Math.max(1, Math.floor(this.box.clientHeight / this.height) - 2);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -1e9, End: 1e9 };
    if (event.key in steps) this.go(this.at + steps[event.key]);
    else if (event.key === "ArrowRight" && row?.open === false) this.act("toggle", row);
    else if (event.key === "ArrowRight" && row?.open) this.go(this.at + 1);
    else if (event.key === "ArrowLeft" && row?.open) this.act("toggle", row);
    else if (event.key === "ArrowLeft") this.go(this.above());
    else if ((event.key === "Enter" || event.key === " ") && row) this.act("choose", row);
    else if (event.key === "n" && row) this.act("nudge", row);
    else return;
    event.preventDefault();
  }

  above() {
    const level = this.rows[this.at]?.level ?? 1;
    for (let at = this.at - 1; at >= 0; at -= 1) if (this.rows[at].level < level) return at;
    return this.at;
  }
}
