"""What web imports and never uses stays on the disk: imported before everything else, for its effect.

Law of this file: names of modules, and how they wait. A module that waits is the real one, found as always but
not run; at the first look for something that it does not have yet it runs, and is what it would have been. So a
library of another version, which uses more, costs memory and nothing else. Nothing that a request may need is
named here: then there may be no descriptor left to read it with. Figures are private memory without it, in MB.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.abc import Loader

# By name; and what is asked of some without being used, so that they need not run to answer.
WAITING: Mapping[str, Mapping[str, Any]] = {
    "uvicorn": {},
    "prometheus_client": {},
    "ssl": {"PROTOCOL_TLS_SERVER": 17, "CERT_NONE": 0},
    "asyncio.sslproto": {},
    "logging.config": {},
    "hashlib": {},
    "html": {},
    "shutil": {},
    "ast": {},
    "anyio": {},
    "anyio.abc": {},
    "anyio.to_thread": {},
}


class _Waiting:
    """The loader of a module that waits."""

    def __init__(self, real: Loader, known: Mapping[str, Any]) -> None:
        self._real = real
        self._known = known

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        def missed(name: str) -> Any:
            del module.__dict__["__getattr__"]
            self._real.exec_module(module)
            return getattr(module, name)

        module.__dict__.update(self._known, __getattr__=missed)


class _Finder:
    """Finds what is named above as everybody else would."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in WAITING:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Waiting(spec.loader, WAITING[name])
        return spec


sys.meta_path.insert(0, _Finder)
sys.modules.setdefault("_hashlib", None)
