"""Who imports whom, read from the source: nothing is imported to find out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def modules(*packages: str) -> dict[str, Path]:
    """Dotted name to file, for every module of the packages."""
    found = (path for package in packages for path in (ROOT / package).rglob("*.py"))
    return {_dotted(path): path for path in found}


def _dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported(path: Path) -> set[str]:
    """Modules that this file imports when it runs, sooner or later: those inside functions count too.

    What only a type checker sees does not. ``from a import b`` is ``a.b`` where that is a module of ours.
    """
    return set(_names(ast.parse(path.read_text()), modules("initd", "web")))


def _names(node: ast.AST, ours: dict[str, Path]) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "imports are absolute here"
            full = [f"{child.module}.{alias.name}" for alias in child.names]
            yield from (name if name in ours else str(child.module) for name in full)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from _names(ast.Module(child.orelse, []), ours)
        else:
            yield from _names(child, ours)


def docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text())) or ""
