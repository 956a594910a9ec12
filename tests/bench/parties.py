"""Who is measured: initd in its forms, and every peer; how each is started, and which version it is.

Law of this file: command lines and their configuration files. Whoever is not installed takes no part, and
the page says so.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = ROOT / "build/bench"  # the wheel, in a virtual environment of its own
BUNDLE = Path("/opt/initd/bin/initd")  # where one belongs: its first line names that place
PYTHON = str(INSTALLED / "bin/python3")
CIRCUSD = str(Path(sys.executable).with_name("circusd"))
FLOOR, INITD, NO_HTTP, BUNDLED = "floor", "initd", "initd --no-http", "initd, bundle"
_SUPERVISORD = """[supervisord]
nodaemon=true
logfile=/dev/null
logfile_maxbytes=0
pidfile={home}/supervisord.pid
[unix_http_server]
file={home}/supervisord.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
[program:main]
command={program}
autorestart=false
startsecs=0
stdout_logfile=NONE
stderr_logfile=NONE
"""
_CIRCUSD = """[circus]
statsd=True
loglevel=ERROR
endpoint=ipc://{home}/circus
pubsub_endpoint=ipc://{home}/circus-pubsub
stats_endpoint=ipc://{home}/circus-stats
[watcher:main]
cmd={program}
copy_env=True
"""

Words = Callable[[Path, str], list[str]]  # a directory of its own and the program to the command line


@dataclass(frozen=True)
class Party:
    """``program`` is what has to be there, ``package`` its Debian or PyPI name; ours has none."""

    name: str
    program: str
    words: Words
    package: str = ""
    http: bool = False  # initd's, on the socket initd.sock in its directory

    @property
    def is_here(self) -> bool:
        return shutil.which(self.program) is not None

    @property
    def version(self) -> str:
        return package_version(self.package) if self.package else version("initd")


def _scan(home: Path, program: str) -> str:
    """A directory of services with one in it, whose run script is the program itself."""
    (home / "scan/main").mkdir(parents=True)
    (home / "scan/main/run").symlink_to(program)
    return str(home / "scan")


def _written(home: Path, file: str, text: str, program: str) -> str:
    (home / file).write_text(text.format(home=home, program=program))
    return str(home / file)


def _http(initd: str) -> Words:
    options = ["-q", "--listen", "none", "--socket"]
    return lambda home, program: [initd, *options, f"{home}/initd.sock", "--", program]


_OURS = str(INSTALLED / "bin/initd")
PARTIES = {
    party.name: party
    for party in (
        Party(FLOOR, PYTHON, lambda _home, _program: [PYTHON, "-I", "-S", "-c", "pass"], "python3"),
        Party("tini", "tini", lambda _, program: ["tini", "--", program], "tini"),
        Party("dumb-init", "dumb-init", lambda _, program: ["dumb-init", "--", program], "dumb-init"),
        Party("catatonit", "catatonit", lambda _, program: ["catatonit", "--", program], "catatonit"),
        Party(INITD, _OURS, _http(_OURS), http=True),
        Party(NO_HTTP, _OURS, lambda _, program: [_OURS, "--no-http", "-q", "--", program]),
        Party(BUNDLED, str(BUNDLE), _http(str(BUNDLE)), http=True),
        Party("s6-svscan", "s6-svscan", lambda home, program: ["s6-svscan", _scan(home, program)], "s6"),
        Party("runsvdir", "runsvdir", lambda home, program: ["runsvdir", _scan(home, program)], "runit"),
        Party(
            "supervisord",
            "supervisord",
            lambda home, program: ["supervisord", "-c", _written(home, "s.conf", _SUPERVISORD, program)],
            "supervisor",
        ),
        Party(
            "circusd",
            CIRCUSD,
            lambda home, program: [CIRCUSD, _written(home, "c.ini", _CIRCUSD, program)],
            "circus",
        ),
    )
}
INITS = ("tini", "dumb-init", "catatonit", INITD, NO_HTTP)
EVERYONE = tuple(name for name in PARTIES if name != FLOOR)
# They are no init, and are measured beside initd's HTTP.
OTHERS = {
    "ps": "procps",
    "process-exporter": "prometheus-process-exporter",
    "psutil in Starlette": "psutil",
    "static JSON in Starlette": "starlette",
}


def here(names: Iterable[str]) -> list[str]:
    """Those of them that can take part."""
    return [name for name in names if PARTIES[name].is_here]


def package_version(package: str) -> str:
    """Debian's, or else PyPI's."""
    asked = ["dpkg-query", "-W", "-f", "${Version}", package]
    found = subprocess.run(asked, capture_output=True, text=True, check=False)
    if found.returncode == 0 and found.stdout:
        return found.stdout
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
