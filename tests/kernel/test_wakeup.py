"""initd.wakeup with real signals and descriptors, in a process of its own: it blocks all signals."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

BEGIN = '''
import _socket, atexit, fcntl, json, os, signal, time
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
CHLD = int(signal.SIGCHLD)

def later(act):
    """By a child that stays, so that no end of its own wakes anybody."""
    pid = os.fork()
    if not pid:
        time.sleep(0.2)
        act()
        while True:
            time.sleep(1)
    atexit.register(os.kill, pid, signal.SIGKILL)

def pair():
    one, other = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    one.setblocking(False)
    return one, other

def slept(wakeup, seconds):
    began = time.monotonic()
    found, ready = wakeup.wait(seconds)
    return found, ready, time.monotonic() - began > 0.1
'''
MADE = "from initd.wakeup import Wakeup\nwakeup = Wakeup()\n"


def said(code: str, made: str = MADE) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + made + code], stdout=subprocess.PIPE, timeout=30, check=True
    )
    return json.loads(done.stdout)


def test_a_signal_comes_with_its_sender() -> None:
    seen = said("""
later(lambda: os.kill(os.getppid(), signal.SIGUSR1))
found, ready, slept = slept(wakeup, None)
print(json.dumps([[one for one in found if one[0] != CHLD][0][0], found[0][1] not in (0, os.getpid()),
                  found[0][2] == os.getuid(), ready, slept]))
""")
    assert seen == [10, True, True, [], True]


def test_signals_that_are_not_blocked_are_not_waited_for() -> None:
    seen = said("""
signal.signal(signal.SIGUSR2, lambda *_: None)
signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGUSR2,))
wakeup = Wakeup()
os.kill(os.getpid(), signal.SIGUSR2)
print(json.dumps(wakeup.wait(0.0)))
""")
    assert seen == [[], []]


def test_a_flood_of_signals_comes_by_shares_and_without_a_sleep_between() -> None:
    seen = said("""
for _ in range(100):
    os.kill(os.getpid(), signal.SIGRTMIN)
turns = [slept(wakeup, 5.0) for _ in range(2)]
print(json.dumps([[len(found), long] for found, _, long in turns]))
""")
    assert seen == [[64, False], [36, False]]


@pytest.mark.parametrize("what", ["one.send(b'a')", "one.close()"])
def test_a_datagram_wakes_and_so_does_an_end(what: str) -> None:
    seen = said(f"""
other, one = pair()
wakeup.register(other.fileno())
wakeup.wait(0.0)
def act():
    {what}
later(act)
one.close() if "close" in {what!r} else None
found, ready, slept = slept(wakeup, None)
print(json.dumps([found[0][0] == CHLD, ready == [other.fileno()], slept]))
""")
    assert seen == [True, True, True]


def test_a_pipe_wakes() -> None:
    seen = said("""
reader, writer = os.pipe()
wakeup.register(reader)
wakeup.wait(0.0)
later(lambda: os.write(writer, b"a"))
found, ready, slept = slept(wakeup, None)
print(json.dumps([found[0][0] == CHLD, ready == [reader], slept]))
""")
    assert seen == [True, True, True]


def test_what_was_there_before_is_found_at_once() -> None:
    seen = said("""
one, other = pair()
other.send(b"a")
wakeup.register(one.fileno())
print(json.dumps([wakeup.wait(5.0)[1] == [one.fileno()]]))
""")
    assert seen == [True]


def test_of_what_is_left_nothing_has_to_be_said_again() -> None:
    """The signal comes once, when something arrives; a turn may take only a share of it."""
    seen = said("""
one, other = pair()
wakeup.register(one.fileno())
wakeup.wait(0.0)
other.send(b"a"); other.send(b"b")
turns = []
for _ in range(3):
    found, ready, long = slept(wakeup, 0.2)
    turns.append([len(found), len(ready), long])
    if ready:
        one.recv(9)
turns.append([*map(len, wakeup.wait(0.0))])
print(json.dumps(turns))
""")
    assert seen == [[1, 1, False], [0, 1, False], [0, 0, False], [0, 0]]


def test_one_that_is_no_longer_registered_wakes_nobody() -> None:
    seen = said("""
one, other = pair()
wakeup.register(one.fileno())
wakeup.unregister(one.fileno())
one.close()
wakeup.wait(0.0)
print(json.dumps(slept(wakeup, 0.2)))
""")
    assert seen == [[], [], True]


def test_no_signal_is_taken_from_anybody() -> None:
    """The default, IO, is main's if somebody sends it; also where a descriptor wakes at that moment."""
    seen = said("""
one, other = pair()
wakeup.register(one.fileno())
wakeup.wait(0.0)
other.send(b"a")
os.kill(os.getpid(), signal.SIGIO)
found, ready = wakeup.wait(0.0)
print(json.dumps([sorted([[number, pid == os.getpid()] for number, pid, _ in found]), len(ready)]))
""")
    assert seen == [[[17, False], [29, True]], 1]


def test_a_kernel_that_refuses_such_signals_is_asked_each_50_ms() -> None:
    seen = said("""
def refuse(*_):
    raise OSError(22, "")
fcntl.fcntl = refuse
one, other = pair()
wakeup.register(one.fileno())
wakeup.wait(0.0)
later(lambda: other.send(b"a"))
turns = 0
while not (seen := wakeup.wait(None))[1]:
    turns += 1
print(json.dumps([turns > 1, len(seen[1])]))
""")
    assert seen == [True, 1]


def test_a_kernel_that_only_says_it_would_is_found_out() -> None:
    """Three times something was there, and nobody had said so."""
    seen = said("""
fcntl.fcntl = lambda *_: 0
one, other = pair()
wakeup.register(one.fileno())
wakeup.wait(0.0)
for _ in range(3):
    other.send(b"a")
    wakeup.wait(0.2)
    one.recv(9)
    wakeup.wait(0.0)
later(lambda: other.send(b"a"))
while not (seen := wakeup.wait(None))[1]:
    pass
print(json.dumps(len(seen[1])))
""")
    assert seen == 1
