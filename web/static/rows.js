// From the tree to the lines on the screen. Law of this file: pure. The roots of the API's tree and what a
// person opened, closed and looks for go in; a flat list of rows comes out. Equal siblings without children
// of their own become one row: 1,998 sleeps say nothing that one does not.

const FOLD = 4; // siblings; three still fit on a screen
const BUSY = ["sleeping", "idle"]; // two states that do not differ for a reader

/** What a person did: ids that are closed, folds that are open, words looked for, zombies only. */
export const untouched = () => ({ closed: new Set(), unfolded: new Set(), words: "", zombies: false });

/** Rows {key, level, node | fold, open, position, siblings}: open is null where there is nothing to open. */
export function flatten(roots, view) {
  const kept = sieve(roots, view);
  const rows = [];
  walk(roots, 1, "", { view, kept, rows });
  return rows;
}

function walk(nodes, level, under, context) {
  const { kept, view, rows } = context;
  const entries = folded(kept ? nodes.filter((node) => kept.has(node)) : nodes, under);
  entries.forEach(({ node, fold }, index) => {
    const key = fold ? fold.key : node.id;
    const row = { key, level, node, fold, position: index + 1, siblings: entries.length, open: null };
    rows.push(row);
    if (fold) {
      row.open = view.unfolded.has(key);
      if (row.open) fold.nodes.forEach((each, at) => rows.push(leaf(each, level + 1, at, fold.nodes.length)));
    } else if (node.children.length) {
      row.open = kept ? null : !view.closed.has(key); // what leads to what is looked for cannot be closed
      if (kept || row.open) walk(node.children, level + 1, key, context);
    }
  });
}

const leaf = (node, level, at, siblings) =>
  ({ key: node.id, level, node, fold: null, position: at + 1, siblings, open: null });

/** Siblings as they come, with those that are alike in the place of the first of them. */
function folded(nodes, under) {
  const groups = new Map();
  for (const node of nodes) {
    const key = node.children.length || node.truncated ? node.id : foldOf(node, under);
    if (groups.has(key)) groups.get(key).push(node);
    else groups.set(key, [node]);
  }
  const entries = ([key, nodes]) =>
    nodes.length < FOLD ? nodes.map((node) => ({ node })) : [{ node: nodes[0], fold: { key, nodes } }];
  return [...groups].flatMap(entries);
}

/** The key of the fold that a process without children may be in. */
export function foldOf(node, under) {
  const state = BUSY.includes(node.state) ? "" : node.state === "zombie" ? "zombie" : "running";
  return [under, node.name, state, node.adopted ? node.former_parent?.name ?? "?" : ""].join("/");
}

/** The processes to show when not all are: those looked for, and those above them. Null: all. */
function sieve(roots, view) {
  const words = view.words.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length && !view.zombies) return null;
  const wanted = (node) =>
    (!view.zombies || node.state === "zombie") && words.every((word) => says(node, word));
  const kept = new Set();
  const look = (node) => {
    const below = node.children.map(look).some(Boolean);
    const keep = below || wanted(node);
    if (keep) kept.add(node);
    return keep;
  };
  roots.forEach(look);
  return kept;
}

const says = (node, word) =>
  node.name.toLowerCase().includes(word) || String(node.pid) === word || node.state.startsWith(word)
  || (node.adopted && word === "adopted");

/** Sums over what a row stands for: threads, memory and CPU, of those that are known. */
export function sums(row) {
  const nodes = row.fold ? row.fold.nodes : [row.node];
  const sum = (field) => {
    const known = nodes.map((node) => node[field]).filter((value) => value != null);
    return known.length ? known.reduce((total, value) => total + value, 0) : null;
  };
  return { threads: sum("threads"), memory: sum("resident_bytes"), cpu: sum("cpu") };
}

/** The earliest start among what a row stands for: times of one form compare as text. */
export function oldest({ node, fold }) {
  const nodes = fold ? fold.nodes : [node];
  return nodes.reduce((least, each) => (each.started_at < least ? each.started_at : least), node.started_at);
}

/** Open whatever hides this process. */
export function reveal(node, view) {
  for (let above = node.parent; above; above = above.parent) view.closed.delete(above.id);
  if (!node.children.length) view.unfolded.add(foldOf(node, node.parent?.id ?? ""));
  Object.assign(view, { words: "", zombies: false });
}
