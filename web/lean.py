"""What web's libraries import, and web does not use, stays on the disk. Imported before them, for its effect.

Law of this file: names of modules, and how they wait. One that waits is the real module, found as always and
not yet run; asked for what it does not have, it runs, and is what it would have been. So a library of another
version, that uses more, costs memory and nothing else. What a request may need must not wait: to run is to
read files, and there may be no descriptor left.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.abc import Loader

TLS = ("ssl", "asyncio.sslproto", "web.handshake")
# Of each what it would add to the memory of web, in MB: 22.3 without them, 31.2 with.
WAITING = (
    *TLS,  # 4.4, OpenSSL's
    "uvicorn",  # 1.9: its command line, click, multiprocessing. Its submodules need none of that
    "prometheus_client",  # 1.0: HTTP servers and a client; and it looks into ssl
    "logging.config",  # 0.7
    "html",  # 0.5
)
# What others ask for without need: uvicorn for its defaults; asyncio whether a socket is one of TLS, of which
# there are none until it runs.
HAVING: dict[str, dict[str, Any]] = {"ssl": {"PROTOCOL_TLS_SERVER": 17, "CERT_NONE": 0, "SSLSocket": ()}}


class Waiting:
    """The loader of a module that waits."""

    def __init__(self, real: Loader) -> None:
        self._real = real
        self.waits = True

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        def missing(name: str) -> Any:
            self.run(module)
            return getattr(module, name)

        module.__dict__.update(HAVING.get(module.__name__, {}), __getattr__=missing)  # PEP 562

    def run(self, module: ModuleType) -> None:
        if self.waits:
            self.waits = False
            del module.__dict__["__getattr__"]
            self._real.exec_module(module)


class _Finder:
    """Finds what may wait where everybody would, and lets it."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name in WAITING else None
        if spec is not None and spec.loader is not None:
            spec.loader = Waiting(spec.loader)  # type: ignore[assignment]  # it is one, by its methods
        return spec


def waits(name: str) -> bool:
    """Whether the module, which has been imported, has not run yet."""
    loader = sys.modules[name].__loader__
    return isinstance(loader, Waiting) and loader.waits


def load(*names: str) -> None:
    """Now, and not in the middle of a request."""
    for name in names:
        module = import_module(name)
        if isinstance(module.__loader__, Waiting):
            module.__loader__.run(module)


sys.meta_path.insert(0, _Finder)
# As in a Python without it: hmac, which others import, would load OpenSSL for a name. 3.6
sys.modules.setdefault("_hashlib", None)  # type: ignore[arg-type]  # None is how import knows of it

import uvicorn  # noqa: E402
from uvicorn.config import Config  # noqa: E402

uvicorn.Config = Config  # type: ignore[misc]  # uvicorn.lifespan.off has it from there
