"""PromQL taken apart.

Law of this file: it knows the language, and nothing of metrics, dashboards or alerts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from promql_parser import BinaryExpr, Expr, NumberLiteral, ParenExpr, VectorSelector, parse, walk

COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
SETS = ("and", "or", "unless")
# What $__rate_interval is replaced with, and nobody would write: so a range that is this long was that.
RATE_INTERVAL = timedelta(seconds=7919)


def parsed(expression: str) -> Expr:
    """Raises ValueError when it is no PromQL."""
    return parse(expression.replace("$__rate_interval", f"{RATE_INTERVAL.seconds}s"))


def nodes(expression: str) -> Iterator[tuple[Expr, tuple[Expr, ...]]]:
    """Every part of an expression, with what it is part of, outermost first."""
    found: list[tuple[Expr, tuple[Expr, ...]]] = []
    around: list[Expr] = []

    def enter(node: Expr) -> None:
        found.append((node, tuple(around)))
        around.append(node)

    def leave(_: Expr) -> None:
        around.pop()

    walk(parsed(expression), enter, leave)
    return iter(found)


def selectors(expression: str) -> list[VectorSelector]:
    return [node for node, _ in nodes(expression) if isinstance(node, VectorSelector)]


def operands(expression: str) -> list[str]:
    """What an alert compares and joins, one by one: each must be there for the alert ever to fire.

    What stands after ``unless`` is an exception, which may well never be there.
    """
    return [part.prettify() for part in _operands(parse(expression))]


def _operands(node: Expr) -> Iterator[Expr]:
    if isinstance(node, ParenExpr):
        yield from _operands(node.expr)
    elif isinstance(node, BinaryExpr) and str(node.op) in COMPARISONS + SETS:
        yield from _operands(node.lhs)
        if str(node.op) != "unless":
            yield from _operands(node.rhs)
    elif not isinstance(node, NumberLiteral):
        yield node
