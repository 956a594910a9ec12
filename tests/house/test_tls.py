"""docs/tls.md: its commands run, its initd starts, Prometheus and Kubernetes understand its words."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]  # it comes without types
import pytest
import yaml

from initd import tokens
from initd.options import TABLE as OPTIONS
from tests.deploy.leaking import watching
from tests.deploy.test_kubernetes import PLAIN
from tests.house.imports import ROOT
from tests.kernel.client import wait_for
from tests.kernel.harness import program, scene
from web.ctl.verbs import COMMON

PAGE = (ROOT / "docs/tls.md").read_text()
PLACE = "/run/secrets"
BIN = Path(sys.executable).parent
# lo is brought up by hand (SIOCSIFFLAGS), as ip(8) is not everywhere.
ENTRY = f"""mount -t tmpfs tmpfs /run; mkdir {PLACE}
{sys.executable} -c 'import fcntl, socket
fcntl.ioctl(socket.socket(), 0x8914, b"lo".ljust(16, bytes(1)) + b"\\1".ljust(24, bytes(1)))'
"""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


FIRST, THEN = (block.splitlines() for block in blocks("sh"))
PROBES, POD, SCRAPE = (yaml.safe_load(block) for block in blocks("yaml"))
ENVIRONMENT = dict(re.findall(r"(INITD_\w+)=(\S+)", blocks("dockerfile")[0]))


def sh(*commands: str, home: Path, enter: tuple[str, ...] = ()) -> str:
    exact = [re.sub(r"^curl ", "curl -sSf ", command) for command in commands]
    done = subprocess.run(
        [*enter, "sh", "-euc", "\n".join(exact)],
        cwd=home,
        env={"PATH": f"{BIN}:/usr/bin:/bin"},
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What stands in /run/secrets: what the page's commands make there, and its tokens."""
    home = tmp_path_factory.mktemp("secrets")
    sh(*FIRST, home=home)
    (home / "tokens").write_text(blocks("text")[0])
    return home


@pytest.fixture(scope="module")
def place(secrets: Path) -> Iterator[tuple[str, ...]]:
    """The page's initd, in a container's namespaces: its own /run, and its own network."""
    entry = ("sh", "-euc", f'{ENTRY} cp {secrets}/* {PLACE}; exec "$@"', "sh")
    with scene(*program("catcher.py"), before=entry, unshare=["--net"], env=ENVIRONMENT, listen=None) as made:
        made.ready()
        pid = str(made.init)
        yield ("nsenter", "-t", pid, "--mount", "--pid", "--net")
        assert "cannot" not in made.err()


@pytest.mark.parametrize("command", THEN)
def test_a_command_of_the_page_works(place: tuple[str, ...], secrets: Path, command: str) -> None:
    assert sh(f"cd {PLACE}", command, home=secrets, enter=place)


def test_the_lines_of_the_page_are_what_a_tokens_file_takes(secrets: Path) -> None:
    assert tokens.read(str(secrets / "tokens"), None) == (
        (),
        (("control", "anna"), ("metrics", "prometheus"), ("read", "spiffe://prod/ns/shop/sa/viewer")),
    )


def test_prometheus_scrapes_with_the_words_of_the_page(secrets: Path, tmp_path: Path) -> None:
    own = {name: path.replace(PLACE, str(secrets)) for name, path in ENVIRONMENT.items()}
    configuration = yaml.safe_load(yaml.safe_dump(SCRAPE).replace(PLACE, str(secrets)))
    options = ["--anonymous", "health"]  # so that it is the certificate that opens
    with scene(*program("catcher.py"), listen="127.0.0.1:0", env=own, options=options) as made:
        made.ready()
        (scrape,) = configuration["scrape_configs"]
        scrape["static_configs"][0]["targets"] = [f"localhost:{made.port}"]
        with watching(tmp_path, configuration) as prometheus:
            wait_for(lambda: prometheus.query("initd_main_up == 1"), "main to be seen as up")


def test_kubernetes_knows_the_words_of_the_page() -> None:
    deployment: dict[str, Any] = yaml.safe_load(PLAIN)
    spec = deployment["spec"]["template"]["spec"]
    spec["volumes"] = POD.pop("volumes")
    spec["containers"][0] |= PROBES | POD
    kubernetes_validate.validate(deployment, kubernetes_validate.latest_version(), strict=True)


def test_the_page_speaks_of_options_that_there_are() -> None:
    prose = re.sub(r"^```.*?^```", "", PAGE, flags=re.MULTILINE | re.DOTALL)
    known = {option.name for option in OPTIONS} | {word.name.removeprefix("--") for word in COMMON}
    assert set(re.findall(r"`--([a-z-]+)", prose)) <= known
    assert set(ENVIRONMENT) <= {option.variable for option in OPTIONS}
