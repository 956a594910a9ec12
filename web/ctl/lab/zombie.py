"""zombie: children that have ended, and a parent that does not wait for them.

What is left of each is its exit status, and its pid, which counts against the limit. Only the parent can take
it away by waiting. No init can, as long as that parent lives; when it ends, its zombies become the init's.
"""

from __future__ import annotations

from collections.abc import Iterator

from web.ctl.lab.bench import Bench
from web.ctl.lab.story import Lab, Order


def make(bench: Bench, order: Order) -> Iterator[str]:
    def parent() -> None:
        for _ in range(order.count):
            bench.fork("lab-zombie", lambda: None)  # it is born, and that was all
        bench.stay()  # instead of os.wait()

    bench.fork("lab-parent", parent)
    made, *zombies = bench.met(1 + order.count)
    yield f"parent  {made}: stays, and does not wait"
    yield f"zombies {', '.join(map(str, zombies[:10]))}{' …' * (len(zombies) > 10)}: ended at once"


LAB = Lab(
    make,
    "{0} is named as the culprit. A nudge does not help, because it never waits; to end it does: then initd "
    "inherits its zombies and reaps them at once.",
    (
        ("zombies", "zombies"),
        ("tree {0}", "tree?root={0}"),
        ("nudge {0}", "zombies/{0}/nudge -X POST"),
        ("signal TERM {0}", "processes/{0}/signal -d signal=TERM"),
    ),
    count=5,
)
