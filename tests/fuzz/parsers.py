"""What PID 1 reads: /proc, datagrams, token files, signals, command lines, notifications.

Law of this file: each reader gives a value or the one error it is known for, and what it gives can be
written down again.
"""

from __future__ import annotations

import os
from contextlib import suppress

from initd import cli, notify, personas, procfs, signals, tokens, wire
from initd.cli import Config, Refusal
from initd.options import ROLES, TABLE, TOKEN_MINIMUM
from initd.persona_catatonit import PROGRAM as CATATONIT
from initd.persona_dumb_init import PROGRAM as DUMB_INIT
from initd.persona_tini import PROGRAM as TINI
from tests.fuzz.target import Target, attempt, is_line

PROGRAMS = {"tini": TINI, "docker-init": TINI, "dumb-init": DUMB_INIT, "catatonit": CATATONIT}
FIELDS = b" ".join(b"%d" % number for number in range(4, 53))  # proc_pid_stat(5) counts from 1
SECRET_LENGTH = 13  # longer than any word of a refusal: what is longer came out of the file


def stat(data: bytes) -> None:
    """Garbage is a ValueError, and any bytes at all may be a name."""
    with suppress(ValueError):
        procfs.parse_stat(data).name.encode()
    named = procfs.parse_stat(b"42 (" + data + b") Z " + FIELDS + b"\n")
    assert (named.pid, named.name, named.state) == (42, procfs.decode_name(data), "Z")
    assert (named.ppid, named.starttime, named.rss) == (4, 22, 24)


def proc_files(data: bytes) -> None:
    """children, status and its masks."""
    with suppress(ValueError):
        pids = procfs.parse_children(data)
        assert procfs.parse_children(b" ".join(b"%d" % pid for pid in pids)) == pids
    for key, value in procfs.parse_status(data).items():
        assert (key + value).encode().decode() == key + value
        with suppress(ValueError):
            assert procfs.signals_in(value) <= set(range(1, 65))


def datagram(data: bytes) -> None:
    """A message or Malformed; and a message is one that can be sent as well, if there is room for it."""
    message = attempt(wire.Malformed, wire.decode, data)
    if isinstance(message, wire.Malformed):
        assert is_line(str(message))
        return
    assert isinstance(message["t"], str)
    again = attempt(wire.Malformed, wire.encode, message)
    if isinstance(again, wire.Malformed):
        assert len(data) > wire.LIMIT // 6  # a byte becomes \\u00e9 at worst
        return
    assert wire.encode(wire.decode(again)) == again


def events(data: bytes) -> None:
    """Each line is the length of an event; they come out once and in order, but those that fit nowhere."""
    lengths = (int(part[:5]) if part.isdigit() else len(part) for part in data.split(b"\n"))
    encoded = [b'{"seq":%d,"x":"%s"}' % (n, b"x" * length) for n, length in enumerate(lengths)]
    head = b'{"t":"reply","n":1'
    found = []
    for joined, count in wire.join_events(encoded, head):
        assert len(joined) <= wire.LIMIT
        read = wire.decode(joined)["events"]
        assert len(read) == count > 0
        found += [event["seq"] for event in read]
    room = wire.LIMIT - len(head + b',"events":[]}')
    assert found == [n for n, event in enumerate(encoded) if len(event) < room]


class _File:
    """A file that is never on any disk."""

    def __init__(self) -> None:
        self._fd = os.memfd_create("tokens")
        self.path = f"/proc/self/fd/{self._fd}"

    def holds(self, data: bytes) -> str:
        """Its path, now that it holds just this."""
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, data, 0)
        return self.path


_FILE = _File()


def token_file(data: bytes) -> None:
    """Tokens with their roles; or one line, in which nothing of the file is shown."""
    found = attempt(ValueError, tokens.read, _FILE.holds(data), None)
    if isinstance(found, ValueError):
        said = str(found)
        assert said.startswith("cannot ")
        assert is_line(said)
        secrets = data.decode("utf-8", "replace").split()
        assert not any(word in said for word in secrets if len(word) >= SECRET_LENGTH)
        return
    shown, certificates = found
    lines = [f"{role} {token}" for role, token in shown]
    lines += [f"{role} cert:{name}" for role, name in certificates]
    assert all(role in ROLES for role, _ in (*shown, *certificates))
    assert all(len(token) >= TOKEN_MINIMUM and token.encode() in data for _, token in shown)
    assert all(name and name.encode() in data for _, name in certificates)
    assert tokens.read(_FILE.holds("\n".join(lines).encode()), None) == found


def signal(data: bytes) -> None:
    """A number that has a name which means it, or one line."""
    texts: list[str | int] = [os.fsdecode(data), data.decode("latin-1"), int.from_bytes(data[:4], "big")]
    for text in texts:
        number = attempt(signals.UnknownSignal, signals.parse, text)
        if isinstance(number, signals.UnknownSignal):
            assert is_line(str(number))
        else:
            assert 1 <= number <= 64
            assert signals.parse(signals.name_of(number)) == number == signals.parse(str(number))


def command_line(data: bytes) -> None:
    """Words that a NUL ends, as execve(2) has them; those that begin with INITD_ are variables, and a first
    word that is the name of another init calls us by it. A configuration, or one printable line.
    """
    words = [os.fsdecode(word) for word in data.split(b"\0")]
    environ = dict(word.split("=", 1) for word in words if word.startswith("INITD_") and "=" in word)
    argv = [word for word in words if word.partition("=")[0] not in environ]
    called = argv[0] if argv else ""
    if called in PROGRAMS:
        found = attempt(Refusal, personas.parse, PROGRAMS[called], called, argv[1:], environ)
    else:
        found = attempt(Refusal, cli.parse, argv, environ)
    if isinstance(found, Config):
        _is_sound(found)
    elif found.code and called not in PROGRAMS:
        assert str(found).startswith("cannot ")
        assert is_line(str(found))


def _is_sound(config: Config) -> None:
    assert all(isinstance(word, str) for word in config.argv)
    assert all(hasattr(config, option.key) for option in TABLE)
    assert all(address and 0 <= port <= 65_535 for address, port in config.listen)
    assert 0 <= config.stop_timeout <= 86_400
    assert all(0 < source <= 64 and 0 <= target <= 64 for source, target in config.rewrite)


def notification(data: bytes) -> None:
    """Known keys with values of their own kind, and a STATUS that can be shown."""
    for key, value in notify.parse(data).items():
        if key == "STATUS":
            assert len(value) <= 500
            value.encode()
        elif key == "WATCHDOG":
            assert value in ("1", "trigger")
        else:
            assert value is True or (type(value) is int and value >= 0)


_OPTIONS = (form for o in TABLE for form in (f"--{o.name}", f"{o.variable}=", f"-{o.short}"))

TARGETS = (
    Target("stat", stat, 1_000_000),
    Target("proc_files", proc_files, 1_000_000),
    Target("datagram", datagram, 400_000),
    Target("events", events, 20_000),
    Target("token_file", token_file, 400_000),
    Target("signal", signal, 1_000_000),
    Target("command_line", command_line, 200_000, tuple(form.encode() for form in _OPTIONS)),
    Target("notification", notification, 500_000),
)
