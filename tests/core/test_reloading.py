"""reloading.py: what is new must be good before the old is given up, and then nobody notices."""

from __future__ import annotations

from initd.inputs import FilesChanged
from initd.model import RESTARTING, TLS_CHECK, WEB

from .driver import TERM, World, no_fork, running

TLS = ("--tls-cert", "/tls/cert", "--tls-key", "/tls/key")
NEW = (("read", "y" * 20),), (("control", "bot"),)


def change(world: World, changed: FilesChanged) -> None:
    """The files are others at the next look."""
    world.changed = changed
    world.advance(2)


def with_tokens(*options: str) -> World:
    """As if --tokens had been said; the file is not read here."""
    world = running(*options)
    world.desk.core.books.after("files", 2.0)
    return world


def greeting(world: World) -> dict[str, object]:
    config: dict[str, object] = world.said("hello")[-1]["config"]
    return config


def test_new_tokens_replace_web_which_is_greeted_with_them() -> None:
    world = with_tokens()
    old = world.pid(WEB)
    change(world, FilesChanged(NEW))
    assert (old, TERM, False) in world.signals
    assert not world.said("bye")
    assert world.desk.books.web.state == RESTARTING
    world.end(old, 0)
    assert world.runs(WEB)
    assert greeting(world)["tokens"] == [["read", "y" * 20]]
    assert greeting(world)["certificates"] == [["control", "bot"]]
    assert not [text for level, text in world.logs if level == "warning"]


def test_files_that_say_the_same_change_nothing() -> None:
    world = with_tokens()
    change(world, FilesChanged(world.desk.books.credentials))
    assert world.starts(WEB) == 1
    assert not world.signals


def test_tokens_that_cannot_be_read_are_said_and_the_old_ones_stay() -> None:
    world = with_tokens()
    before = world.desk.books.credentials
    change(world, FilesChanged(None, "cannot read the token file x: gone; give initd a readable file"))
    assert world.desk.books.credentials == before
    assert not world.signals
    assert [text for level, text in world.logs if level == "error"] == [
        "cannot read the token file x: gone; give initd a readable file; the old tokens stay"
    ]


def test_new_certificates_are_looked_at_before_web_is_replaced() -> None:
    world = running(*TLS)
    change(world, FilesChanged(((), ())))
    assert not world.signals
    world.end(world.pid(TLS_CHECK), 0)
    assert (world.pid(WEB), TERM, False) in world.signals


def test_certificates_that_are_no_good_are_said_and_the_old_ones_stay() -> None:
    world = running(*TLS)
    change(world, FilesChanged(((), ())))
    world.end(world.pid(TLS_CHECK), 1, output="cannot use --tls-cert /tls/cert: no PEM; say another")
    assert not world.signals
    assert world.logs[-1] == (
        "error",
        "cannot use --tls-cert /tls/cert: no PEM; say another; the old certificates and tokens stay",
    )


def test_malformed_tokens_do_not_keep_new_certificates_back() -> None:
    world = running(*TLS)
    change(world, FilesChanged(None, "cannot use x line 1"))
    world.end(world.pid(TLS_CHECK), 0)
    assert (world.pid(WEB), TERM, False) in world.signals


def test_certificates_that_could_not_be_looked_at_are_at_the_next_look() -> None:
    """That no process can be made says nothing of them, and is said once."""
    world = running(*TLS)
    world.failing[TLS_CHECK] = [no_fork(TLS_CHECK)] * 2
    change(world, FilesChanged(((), ())))
    world.advance(2)
    assert not world.signals
    world.advance(2)
    world.end(world.pid(TLS_CHECK), 0)
    assert (world.pid(WEB), TERM, False) in world.signals
    assert [text for level, text in world.logs if level == "warning"] == [
        "cannot check the new certificates yet: no process can be made"
    ]


def test_a_web_that_does_not_end_is_killed_and_replaced() -> None:
    world = with_tokens()
    old = world.pid(WEB)
    change(world, FilesChanged(NEW))
    world.advance(2)
    assert (old, 9, True) in world.signals


def test_while_web_is_down_the_next_one_knows() -> None:
    world = with_tokens()
    world.failing[WEB] = [no_fork(WEB)] * 6
    world.end(world.pid(WEB), signal=11)
    world.advance(0.5)
    assert not world.runs(WEB)
    change(world, FilesChanged(NEW))
    world.advance(10)
    assert greeting(world)["tokens"] == [["read", "y" * 20]]


def test_without_files_nobody_looks() -> None:
    world = running()
    world.changed = FilesChanged(NEW)
    world.advance(30)
    assert world.changed is not None


def test_new_tokens_on_our_way_out_start_no_web_again() -> None:
    world = with_tokens("--sweep-timeout", "0")
    old = world.pid(WEB)
    world.end(world.pid(), 4)
    world.feed(FilesChanged(NEW))
    world.end(old, 0)
    assert (world.runs(WEB), world.exits) == (False, [4])
