"""What initd answers, and what it costs: beside ps, process-exporter, and JSON handlers written plainly."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from . import stage as kernel
from .client import Client, until_up
from .experiment import Act, Experiment
from .figures import Limit, Row
from .house import House
from .parties import INITD, PYTHON
from .stage import Stage

PS, EXPORTER, PSUTIL, STATIC = "ps", "process-exporter", "psutil in Starlette", "static JSON in Starlette"
_PS = ("ps", "-eo", "pid,ppid,stat,comm")
_PORT = 19_451
_SECONDS = 0.5  # of asking for one resource, in a round
_CLIENTS = 8  # who ask at once, where throughput is measured
_PROBED = 8.0  # seconds of probes
_STORM = 120_000  # orphans: as many as come in about that time
CALM = f"{INITD}, no storm"
_METRICS = tuple(Limit(INITD, 0.5, 0.4, PS, at=size) for size in (200, 2_000, 10_000))
# Every process, as process-exporter's README has it.
_ALL = 'process_names:\n  - name: "{{.Comm}}"\n    cmdline: [".+"]\n'


# --- a tree of some size -----------------------------------------------------------------------------


@contextmanager
def _crowds(house: House, size: int) -> Iterator[dict[str, Act]]:
    """initd with a main of ``size`` processes, and in the same namespace everybody else who looks at them."""
    with ExitStack() as stack:
        stage = stack.enter_context(house.settled(INITD, "crowd", BENCH_CROWD=size))
        plain = stage.home / "plain.sock"
        app = [PYTHON, "-I", str(Path(__file__).with_name("plain.py")), str(plain)]
        stack.enter_context(_inside(stage, app))
        until_up(plain, "/static")
        exporter = stack.enter_context(_exporter(stage))
        web = [pid for pid in kernel.children(stage.init) if kernel.program_of(pid) != "crowd"]
        yield {
            INITD: partial(_initd, stage, web),
            PS: partial(_ps, house, stage),
            EXPORTER: partial(_scrapes, Client(_PORT), [exporter]),
            PSUTIL: partial(_both, plain, "tree", "/tree"),
            STATIC: partial(_both, plain, "status", "/static"),
        }


def _initd(stage: Stage, web: list[int]) -> dict[str, list[float]]:
    """Each on a connection of its own, which is kept: what Prometheus does."""
    figures = _scrapes(Client(stage.socket), [stage.init, *web])
    for resource in ("status", "tree"):
        figures |= _both(stage.socket, resource, f"/api/v1/{resource}")
    figures["processes"] = _asked(Client(stage.socket), "/api/v1/processes")
    figures["zombies_asked"] = _asked(Client(stage.socket), "/api/v1/zombies")
    memory = kernel.resident([stage.init, *web])
    figures["memory of PID 1, by size"] = [memory.pop(stage.init) / 1e6]
    figures["memory of web, by size"] = [sum(memory.values()) / 1e6]
    return figures


def _scrapes(client: Client, pids: list[int]) -> dict[str, list[float]]:
    """The wall time of /metrics, and its CPU; with a pause, so that no answer serves twice."""
    walls, costs = [], []
    for _ in range(2):
        time.sleep(0.3)
        before = kernel.cpu(*pids)
        walls.append(client.timed("/metrics"))
        costs.append((kernel.cpu(*pids) - before) / 1e6)
    client.close()
    return {"metrics": walls, "metrics_cpu": costs}


def _asked(client: Client, path: str) -> list[float]:
    """Milliseconds of each GET, one after the other."""
    taken = []
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end:
        taken.append(client.timed(path))
    client.close()
    return taken


def _both(place: Path, figure: str, path: str) -> dict[str, list[float]]:
    """How long one waits who asks alone, and how many answers a second all get who ask at once."""
    return {figure: _asked(Client(place), path), f"{figure}_rate": [_rate(place, path)]}


def _rate(place: Path, path: str) -> float:
    began = time.monotonic()
    with ThreadPoolExecutor(_CLIENTS) as clients:
        answers = sum(map(len, clients.map(lambda _: _asked(Client(place), path), range(_CLIENTS))))
    return answers / (time.monotonic() - began)


def _ps(house: House, stage: Stage) -> dict[str, list[float]]:
    """In the same namespace, from its exec to its end."""
    home = Path(tempfile.mkdtemp(dir=house.place))
    words = ["nsenter", "-t", str(stage.init), "-p", "-m", str(house.programs / "arena"), *_PS]
    run = Stage(house.programs, home, words, {}, plain=True)
    try:
        run.wait("START")  # nsenter's, by the arena around it
        began = run.wait("START")
        return {"metrics": [(run.wait("END") - began) / 1e6]}
    finally:
        run.end()


@contextmanager
def _inside(stage: Stage, words: list[str], **environ: object) -> Iterator[int]:
    """A program in the stage's namespaces; the pid is of what entered them, and its child is the program."""
    enter = ["nsenter", "-t", str(stage.init), "-p", "-m", *words]
    where = os.environ | {"BENCH_PIPE": str(stage.home / "pipe")} | {k: str(v) for k, v in environ.items()}
    with (stage.home / "beside").open("ab") as said:
        process = subprocess.Popen(enter, env=where, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        yield process.pid
    finally:
        for pid in kernel.children(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.wait(kernel.DEADLINE)


@contextmanager
def _exporter(stage: Stage) -> Iterator[int]:
    config = stage.home / "exporter.yml"
    config.write_text(_ALL)
    address = f"127.0.0.1:{_PORT}"
    words = ["prometheus-process-exporter", "-config.path", str(config), "-web.listen-address", address]
    with _inside(stage, words) as pid:
        until_up(_PORT, "/metrics")
        yield kernel.children(pid)[0]


# --- probes while it is busy -----------------------------------------------------------------------------


@contextmanager
def _busy(house: House, size: int) -> Iterator[dict[str, Act]]:
    """A crowd that is scraped each second; beside it a storm of orphans, or none."""
    with ExitStack() as stack:
        stage = stack.enter_context(house.settled(INITD, "crowd", BENCH_CROWD=size))
        words = [str(house.programs / "storm")]
        entered = stack.enter_context(_inside(stage, words, BENCH_ORPHANS=_STORM, BENCH_EACH=50))
        stage.wait("MAIN")
        storm = kernel.children(entered)[0]
        yield {INITD: partial(_stormy, stage, storm), CALM: partial(_probed, stage)}


def _stormy(stage: Stage, storm: int) -> dict[str, list[float]]:
    os.kill(storm, signal.SIGUSR1)
    found = _probed(stage)
    stage.wait("OVER")
    return found


def _probed(stage: Stage) -> dict[str, list[float]]:
    """A probe each five milliseconds, and a scrape each second from a thread."""
    over = threading.Event()
    scraper = threading.Thread(target=_scrape_each_second, args=(stage.socket, over))
    scraper.start()
    client, taken, failed = Client(stage.socket), [], 0
    end = time.monotonic() + _PROBED
    try:
        while time.monotonic() < end:
            began = time.monotonic_ns()
            failed += client.get("/livez") != 200
            taken.append((time.monotonic_ns() - began) / 1e6)
            time.sleep(0.005)
    finally:
        over.set()
        scraper.join()
        client.close()
    return {"livez": taken, "livez_failed": [100 * failed / len(taken)]}


def _scrape_each_second(socket: Path, over: threading.Event) -> None:
    client = Client(socket)
    while not over.wait(1.0):
        client.get("/metrics")
    client.close()


EXPERIMENTS = (
    Experiment(
        "crowd",
        "What is asked",
        "Around a main of so many processes, over the unix socket, one question after the other on one "
        "connection; `ps -eo pid,ppid,stat,comm` and process-exporter look at the same tree from the same "
        "namespace. CPU is that of PID 1 and web, or of the exporter, from before a question to its answer. "
        "psutil in Starlette is what one writes in an afternoon (tests/bench/plain.py), static JSON is what "
        "Starlette and uvicorn can do at best.",
        _crowds,
        (
            Row("metrics", "/metrics, wall", "ms", PS, _METRICS),
            Row(
                "metrics_cpu",
                "/metrics, CPU of a scrape",
                "ms",
                EXPORTER,
                (Limit(INITD, 1.0, 1.0, EXPORTER, at=2_000),),
            ),
            Row("status", "/api/v1/status, p50", "ms", STATIC),
            Row("status99", "/api/v1/status, p99", "ms", STATIC, share=0.99, samples="status"),
            Row("tree", "/api/v1/tree, p50", "ms", PSUTIL),
            Row("tree99", "/api/v1/tree, p99", "ms", PSUTIL, share=0.99, samples="tree"),
            Row("status_rate", f"/api/v1/status, {_CLIENTS} clients at once", "answers a second", STATIC),
            Row("tree_rate", f"/api/v1/tree, {_CLIENTS} clients at once", "answers a second", PSUTIL),
            Row("processes", "/api/v1/processes, p50", "ms"),
            Row("zombies_asked", "/api/v1/zombies, p50", "ms"),
            Row("memory of PID 1, by size", "PSS, PID 1, by size", "MB"),
            Row("memory of web, by size", "PSS, web, by size", "MB"),
        ),
        rounds=4,
        quick=1,
        sizes=(10, 100, 200, 1_000, 2_000, 10_000),
        quick_sizes=(100, 200),
        growth=True,
    ),
    Experiment(
        "livez",
        "Probes while it is busy",
        f"/livez each 5 ms for {_PROBED:.0f} s on one connection, around 2,000 processes that are scraped "
        f"each second, while {_STORM:,} orphans are made as fast as one program can; and without them.",
        _busy,
        (
            Row("livez", "/livez under load, p50", "ms"),
            Row(
                "livez99",
                "/livez under load, p99",
                "ms",
                limits=(Limit(INITD, 10.0, 10.0),),
                share=0.99,
                samples="livez",
            ),
            Row("livez_failed", "/livez under load, not 200", "%", limits=(Limit(INITD, 0.0, 0.0),)),
        ),
        rounds=3,
        quick=1,
        sizes=(2_000,),
        quick_sizes=(200,),
    ),
)
