"""initd.wakeup with real signals and descriptors, in a process of its own: it blocks all signals."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any

import pytest

BEGIN = '''
import _socket, fcntl, json, os, signal, time
signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
CHLD = int(signal.SIGCHLD)

def later(act):
    """By a child that stays as long as we do, so that no end of its own wakes anybody."""
    ours = os.getpid()
    if not os.fork():
        time.sleep(0.2)
        act()
        while os.getppid() == ours:
            time.sleep(0.1)
        os._exit(0)

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


def test_a_kernel_that_promises_such_signals_and_sends_none_is_found_out_at_once() -> None:
    seen = said(
        """
one, other = pair()
wakeup.register(one.fileno())
wakeup.wait(0.0)
later(lambda: other.send(b"a"))
turns = 0
while not (seen := wakeup.wait(None))[1]:
    turns += 1
print(json.dumps([wakeup.works, turns > 1, len(seen[1])]))
""",
        made="fcntl.fcntl = lambda *_: 0\n" + MADE,
    )
    assert seen == [False, True, 1]


def test_a_descriptor_that_cannot_wake_us_is_looked_at_for_as_long_as_it_is_there() -> None:
    seen = said("""
call = fcntl.fcntl
def refuse(*_):
    raise OSError(12, "")
fcntl.fcntl = refuse
one, other = pair()
wakeup.register(one.fileno())
fcntl.fcntl = call
wakeup.wait(0.0)
later(lambda: other.send(b"a"))
turns = 0
while not (seen := wakeup.wait(None))[1]:
    turns += 1
wakeup.unregister(one.fileno())
wakeup.wait(0.0)
print(json.dumps([wakeup.works, turns > 1, len(seen[1]), slept(wakeup, 0.2)]))
""")
    assert seen == [True, True, 1, [[], [], True]]


def test_whoever_is_stopped_past_a_deadline_makes_up_no_signal() -> None:
    """CPython's sigtimedwait does: it returns what the stack holds, as a signal that was never sent."""
    seen = said("""
def pause():
    for _ in range(3):
        os.kill(os.getppid(), signal.SIGSTOP)
        time.sleep(0.4)
        os.kill(os.getppid(), signal.SIGCONT)
        time.sleep(0.3)
later(pause)
found, end = [], time.monotonic() + 3
while time.monotonic() < end:
    found += [number for number, _, _ in wakeup.wait(0.2)[0]]
print(json.dumps(found))
""")
    assert seen == [int(signal.SIGCONT)] * 3


def test_the_timer_that_ends_a_wait_is_nobodys_signal_and_alrm_is_still_one() -> None:
    seen = said("""
first = wakeup.wait(0.01)
os.kill(os.getpid(), signal.SIGALRM)
second = wakeup.wait(5.0)
later(lambda: os.kill(os.getppid(), signal.SIGALRM))
third = wakeup.wait(5.0)
print(json.dumps([first, [one[0] for one in second[0]], [one[0] for one in third[0]],
                  signal.getitimer(signal.ITIMER_REAL)]))
""")
    assert seen == [[[], []], [14], [14], [0.0, 0.0]]


@pytest.mark.parametrize("seconds", ["1e-9", "0.05"])
def test_no_wait_is_so_short_that_it_never_ends(seconds: str) -> None:
    assert said(f"print(json.dumps(wakeup.wait({seconds})))") == [[], []]


def test_signals_of_the_c_library_that_were_blocked_at_entry_are_not_waited_for() -> None:
    """A program that blocks all 64 by the system call leaves them so; Python refuses to wait for them."""
    seen = said("""
signal.pthread_sigmask = signal.pthread_sigmask
import _signal
_signal.pthread_sigmask = lambda *_: {10, 17, 32, 33}
import warnings
warnings.simplefilter("error")
print(json.dumps(Wakeup().wait(0.0)))
""")
    assert seen == [[], []]
