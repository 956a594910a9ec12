"""cron as main, in a mount namespace where nothing of the machine's own tables is seen."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.apps.help import kill, no_zombie, signal_main
from tests.kernel import kernel
from tests.kernel.client import wait_for
from tests.kernel.harness import first, scene

# cron's own files, replaced in this namespace only: its pid file, and every place it reads jobs from.
PRIVATE = """
set -e
mount -t tmpfs none /run
mount -t tmpfs none /etc/cron.d
mount -t tmpfs none /var/spool/cron
mkdir -p /var/spool/cron/crontabs
mount --bind {table} /etc/crontab
"""
# @reboot jobs run as soon as cron starts. The first leaves an orphan behind, the second stays to be killed.
TABLE = """\
SHELL=/bin/sh
@reboot root ( sleep 100001 & ) ; echo ran > {home}/ran
@reboot root exec sleep 100002
"""


def test_cron_lives_under_initd_and_its_jobs_orphans_are_adopted(tmp_path: Path) -> None:
    table = tmp_path / "crontab"
    table.write_text(TABLE.format(home=tmp_path))
    os.chown(table, 0, 0)
    table.chmod(0o644)
    with scene("cron", "-f", before=first(PRIVATE.format(table=table))) as made:
        wait_for((tmp_path / "ran").exists, "the first job to run")
        adopted = wait_for(
            lambda: [
                process
                for process in made.get("/api/v1/processes?adopted=true")["processes"]
                if process["name"] == "sleep"
            ],
            "the job's orphan to be adopted",
        )
        assert adopted[0]["ppid"] == 1
        signal_main(made, "HUP")
        (job,) = wait_for(
            lambda: [
                process
                for process in made.get("/api/v1/processes?name=sleep")["processes"]
                if process["id"] != adopted[0]["id"]
            ],
            "the second job",
        )
        kill(made, job["id"])
        wait_for(lambda: not kernel.children(made.main), "cron to have no job left")
        assert made.status()["main"]["state"] == "running"
        no_zombie(made)
        assert made.stop(signal.SIGTERM) == 143
