"""A bash script as main, with jobs in the background and some that it forgets."""

from __future__ import annotations

from pathlib import Path

from tests.apps.help import kill, no_zombie, signal_main, wait_workers, workers
from tests.kernel.client import wait_for
from tests.kernel.harness import scene

SCRIPT = r"""
trap 'echo reloaded' HUP
trap 'echo stopping; kill $(jobs -p); stop=1' TERM
for job in 1 2 3; do sleep 100000 & done
( sleep 100001 & )
( exec -a forgotten bash -c 'trap "echo forgotten got TERM > $0/forgotten; exit" TERM
    echo forgotten is ready; while :; do sleep 0.05; done' "$0" & )
echo ready
while [ -z "$stop" ]; do
    wait -n
    echo "wait said $?"
done
exit 4
"""


def test_a_bash_script_with_background_jobs_lives_under_initd(tmp_path: Path) -> None:
    with scene("bash", "-c", SCRIPT, str(tmp_path)) as made:
        made.ready()
        made.wait_out("forgotten is ready")
        jobs = wait_workers(made, 3, "sleep")
        wait_for(lambda: made.status()["adopted"] == {"total": 2, "alive": 2}, "two adopted ones")
        signal_main(made, "HUP")
        made.wait_out("reloaded")
        kill(made, next(iter(jobs)))
        made.wait_out("wait said 137")
        assert len(workers(made, "sleep")) == 2
        assert made.status()["main"]["state"] == "running"
        no_zombie(made)
        assert made.stop() == 4
        assert (tmp_path / "forgotten").exists()
