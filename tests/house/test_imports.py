"""The two houses and their walls: who may import whom."""

from __future__ import annotations

import sys
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.house.imports import docstring, imported, modules

INITD, WEB = modules("initd"), modules("web")
CTL = {name: path for name, path in WEB.items() if name.startswith("web.ctl")}
# What web may know of the core: values, and how they are spelled.
LENT = {"initd", "initd.model", "initd.wire", "initd.procfs", "initd.signals"}
THIRD_PARTY = {"h11", "prometheus_client", "psutil", "starlette", "uvicorn"}
# `initctl top` alone is drawn by a package, which is an extra; rich is textual's own.
DRAWN, DRAWS = {name for name in CTL if name.startswith("web.ctl.top")}, {"rich", "textual"}
WORLD = {
    "_socket",
    "asyncio",
    "ctypes",
    "os",
    "posix",
    "random",
    "select",
    "socket",
    "subprocess",
    "threading",
    "time",
}
PURE = {
    *("initd.model", "initd.inputs", "initd.effects", "initd.unit", "initd.core", "initd.wire"),
    *("initd.procfs", "initd.signals", "web.mirror", "web.tree"),
}


def tops(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("name", INITD)
def test_the_core_is_made_of_the_standard_library_alone(name: str) -> None:
    strangers = tops(imported(INITD[name])) - {"initd"} - sys.stdlib_module_names
    assert not strangers


@pytest.mark.parametrize("name", WEB)
def test_web_takes_from_the_core_only_what_is_lent(name: str) -> None:
    assert {other for other in imported(WEB[name]) if other.startswith("initd")} <= LENT


@pytest.mark.parametrize("name", WEB)
def test_web_uses_no_package_that_is_not_declared(name: str) -> None:
    allowed = DRAWS if name in DRAWN else THIRD_PARTY
    assert tops(imported(WEB[name])) - {"initd", "web"} - sys.stdlib_module_names <= allowed


@pytest.mark.parametrize("name", CTL)
def test_initctl_needs_neither_web_nor_a_package(name: str) -> None:
    seen = imported(CTL[name])
    assert {other for other in seen if other.startswith("web")} <= set(CTL)
    strangers = tops(seen) - {"initd", "web"} - sys.stdlib_module_names
    assert strangers <= (DRAWS if name in DRAWN else set())


def said_to_be_pure() -> list[str]:
    every = INITD | WEB
    said = {
        name for name, path in every.items() if " pure." in f" {docstring(path)} ".lower().replace(";", ".")
    }
    return sorted(said | PURE)


@pytest.mark.parametrize("name", said_to_be_pure())
def test_a_pure_module_does_not_know_the_world_nor_anyone_who_does(name: str) -> None:
    every = INITD | WEB
    reached, left = set(), [name]
    while left:
        for other in imported(every[left.pop()]):
            if other in WORLD:
                pytest.fail(f"{name} reaches {other}")
            if other in every and other not in reached and other not in ("initd", "web"):
                reached.add(other)
                left.append(other)


@pytest.mark.parametrize("package", ["initd", "web"])
def test_there_is_no_import_cycle(package: str) -> None:
    ours = modules(package)
    graph = {name: imported(path) & set(ours) - {name} for name, path in ours.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"cycle: {' -> '.join(error.args[1])}")
