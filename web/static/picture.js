// The last picture of the container. Law of this file: it holds what the API said last, what follows from it,
// and tells whoever shows it. It fetches nothing and touches no element.

const MOMENTARY = 10; // zombies of the init itself: a scan may meet a few that it reaps right now

const listeners = new Set();
let due = false;

// link: connecting, live, lost or closed to us (why says more). nodes: every process by id, with its parent.
// guilty: those who have zombies and do not reap; culprits: the same by id, but for a parent that is outside.
export const picture = {
  status: null, roots: [], nodes: new Map(), guilty: [], culprits: new Map(), lineage: null,
  link: "connecting", why: null, paused: false, takenAt: null, receivedAt: 0, adoptions: [],
};

export function onChange(listener) {
  listeners.add(listener);
}

/** Tell them, once for each frame however much changed. */
export function changed(changes = {}) {
  Object.assign(picture, changes);
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    listeners.forEach((listener) => listener());
  });
}

/** How old it is, in seconds. */
export const age = () => (performance.now() - picture.receivedAt) / 1000;

/** The server's clock, in ms: ours may be wrong, and while paused time stands still. */
export function now() {
  if (picture.takenAt === null) return Date.now();
  return picture.takenAt + (picture.paused ? 0 : age() * 1000);
}

/** Seconds since an RFC 3339 time; null stays null. */
export const since = (at, from = now()) => (at == null ? null : Math.max(0, (from - Date.parse(at)) / 1000));

/** The header's part. Whether another init answers now: then nothing known before holds. */
export function takeStatus(status) {
  const replaced = picture.status !== null && picture.status.init.started_at !== status.init.started_at;
  if (replaced) picture.adoptions = [];
  const samples = picture.adoptions;
  samples.push([performance.now(), status.adopted.total]);
  while (samples.length > 2 && samples[1][0] < performance.now() - 60_000) samples.shift();
  changed({ status });
  return replaced;
}

/** Orphans adopted a minute, over the last one; null until there are ten seconds to go by. */
export function adoptionsPerMinute() {
  const [first, last] = [picture.adoptions[0], picture.adoptions.at(-1)];
  if (!first || last[0] - first[0] < 10_000) return null;
  return ((last[1] - first[1]) * 60_000) / (last[0] - first[0]);
}

/** The tree, the zombies and, unless it is as it was, the lineage. */
export function takeTree(tree, zombies, lineage) {
  const takenAt = tree.taken_at ? Date.parse(tree.taken_at) : Date.now();
  const nodes = indexed(tree.roots, picture.nodes, (takenAt - picture.takenAt) / 1000);
  const guilty = zombies.culprits.filter(({ why, count }) => why?.code !== "init" || count > MOMENTARY);
  const culprits = new Map(guilty.filter(({ process }) => process).map((each) => [each.process.id, each]));
  const news = { roots: tree.roots, nodes, guilty, culprits, takenAt, receivedAt: performance.now() };
  changed({ ...news, link: "live", why: null, lineage: lineage ?? picture.lineage });
}

/** Every node by its id, with `parent` and `cpu`, the share of one core since the picture before. */
function indexed(roots, before, seconds) {
  const nodes = new Map();
  const rest = roots.map((node) => [node, null]);
  while (rest.length) {
    const [node, parent] = rest.pop();
    const earlier = before.get(node.id)?.cpu_seconds;
    node.parent = parent;
    node.cpu = earlier == null || seconds <= 0 ? null : Math.max(0, (node.cpu_seconds - earlier) / seconds);
    nodes.set(node.id, node);
    for (const child of node.children) rest.push([child, node]);
  }
  return nodes;
}
