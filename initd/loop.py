"""The only place that blocks: wait, take in, let the core decide, perform, wait again.

Law of this file: no decisions. Inputs are made from what the kernel says, effects are performed,
and their results fed back at once, before any other input. An exception is logged once and the
loop goes on: PID 1 does not die of a mistake.
"""

from __future__ import annotations

import errno
import os
import select
import time

import _socket
from initd import plans, procfs, signals, syscalls, wire
from initd.core import KILL, Core, Init
from initd.desk import Desk
from initd.model import (
    MAIN,
    Asked,
    BatchReaped,
    Child,
    ChildEnded,
    ChildrenListed,
    Deliver,
    Delivered,
    Dropped,
    ExitStatus,
    Exit,
    Garbled,
    LetterboxClosed,
    Log,
    Look,
    ProcessId,
    Send,
    Signal,
    SignalReceived,
    Spawn,
    Spawned,
    SpawnFailed,
    Surveyed,
    Sweep,
    Ticked,
)
from initd.sockets import remove_socket_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from initd.boot import World

_CHLD = signals.NUMBERS["CHLD"]
_TAKE = 64  # datagrams a turn: a flood on the letterbox must not hold up a reap
_POLL = 0.05  # without a signalfd we look for signals this often


def run(world: World) -> int:
    """Run the init until it has an exit code."""
    loop = Loop(world)
    loop.begin()
    while loop.code is None:
        loop.guarded(loop.turn)
    remove_socket_file(world.listeners)
    return loop.code


class Loop:
    """Descriptors on one side, the desk with the core behind it on the other."""

    def __init__(self, world: World) -> None:
        listeners = tuple(
            {"fd": each.fd, "kind": each.kind, "address": each.address} for each in world.listeners
        )
        init = Init(os.getpid(), os.getuid(), world.role, world.started, listeners)
        self.world, self.speaker = world, world.speaker
        self.core = Core(world.config, init, lambda: os.urandom(1)[0] / 256)
        self.desk = Desk(self.core)
        self.code: int | None = None
        self._letterbox: _socket.socket | None = None
        self._epoll = select.epoll()
        self._signalfd = self._open_signals()
        self._said: set[str] = set()
        self._perform: dict[type, Callable[[Any], object | None]] = {
            Spawn: self._spawn,
            Signal: self._signal,
            Deliver: self._deliver,
            Sweep: self._sweep,
            Look: self._look,
            Send: self._send,
            Log: self._log,
            Exit: self._exit,
        }

    def _open_signals(self) -> int | None:
        try:
            fd = syscalls.open_signalfd()
        except (ImportError, OSError, AttributeError) as error:
            self.speaker.say("warning", f"cannot open a signalfd: {error}; signals take up to 50 ms: allow signalfd")
            return None
        self._epoll.register(fd, select.EPOLLIN)
        return fd

    # --- turns ---------------------------------------------------------------------------------------

    def begin(self) -> None:
        """The first inputs: main was started by the bootstrap, or could not be."""
        world = self.world
        self.guarded(lambda: self.core.begin(time.monotonic()))
        if world.main_pid is not None:
            self.guarded(lambda: self.feed(Spawned(MAIN, self._identify(world.main_pid or 0))))
        else:
            self.guarded(lambda: self.feed(SpawnFailed(MAIN, world.failure, forking=True, room=syscalls.room())))

    def turn(self) -> None:
        """Wait for anything, take it all in, settle."""
        ready = self._wait()
        for number, pid, uid in self._signals(ready):
            if number != _CHLD:
                self.feed(SignalReceived(number, pid, uid))
        self._drain_children()
        if self._letterbox is not None and self._letterbox.fileno() in ready:
            self._read_letterbox(self._letterbox)
        deadline = self.core.deadline()
        if deadline is not None and deadline <= time.monotonic():
            self.feed(Ticked())
        self._perform_all(self.core.settle())

    def guarded(self, step: Callable[[], None]) -> None:
        """Take a step; an exception is said once, with its place, and the init goes on."""
        try:
            step()
        except Exception as error:  # noqa: BLE001  the last guard of PID 1: whatever it is, main must live
            place = _place_of(error)
            if place not in self._said:
                self._said.add(place)
                self.speaker.say("error", f"cannot go on as planned at {place}: {error!r}; going on without: report this")
            time.sleep(_POLL)  # should every turn fail, then at least not in a hot loop

    def _wait(self) -> list[int]:
        deadline = self.core.deadline()
        seconds = -1.0 if deadline is None else max(0.0, deadline - time.monotonic())
        if self._signalfd is None:
            seconds = 0.0
        return [fd for fd, _ in self._epoll.poll(seconds)]

    def _signals(self, ready: list[int]) -> list[tuple[int, int, int]]:
        if self._signalfd is None:
            return syscalls.take_signals(0.0 if ready else _POLL)
        return syscalls.read_signals(self._signalfd) if self._signalfd in ready else []

    def feed(self, happened: object) -> None:
        """One input; its effects are performed, and their results fed, before this returns."""
        self._perform_all(self.desk.handle(happened, time.monotonic(), time.time()))

    def _perform_all(self, effects: list[Any]) -> None:
        for effect in effects:
            result = self._perform[type(effect)](effect)
            if result is not None:
                self.feed(result)

    # --- children --------------------------------------------------------------------------------------

    def _drain_children(self) -> None:
        """Until there is no more: SIGCHLD coalesces, so its number says nothing."""
        began, count = time.monotonic(), 0
        while (pid := syscalls.peek()) is not None:
            stat = _stat_of(pid)
            reaped = syscalls.reap(pid)
            if reaped is None:
                break
            count += 1
            self.feed(_ended(reaped, stat))
        if count:
            self.feed(BatchReaped(count, time.monotonic() - began))

    def _look(self, _: Look) -> ChildrenListed:
        children = []
        for pid in self._child_pids():
            stat = _stat_of(pid)
            if stat is not None:
                children.append(Child(ProcessId(pid, stat.starttime), stat.name, stat.state == "Z"))
        return ChildrenListed(tuple(children), syscalls.count_descriptors())

    def _child_pids(self) -> tuple[int, ...]:
        try:
            return procfs.parse_children(syscalls.read_children())
        except OSError:  # a kernel without CONFIG_PROC_CHILDREN
            ourselves = os.getpid()
            return tuple(stat.pid for stat in _all_stats() if stat.ppid == ourselves)

    def _identify(self, pid: int) -> ProcessId:
        stat = _stat_of(pid)
        return ProcessId(pid, stat.starttime if stat is not None else 0)

    # --- effects ---------------------------------------------------------------------------------------

    def _spawn(self, effect: Spawn) -> Spawned | SpawnFailed:
        try:
            pid = syscalls.spawn(self.world.plan) if effect.unit == MAIN else self._spawn_web()
        except syscalls.SpawnError as error:
            forking = error.stage in ("fork", "pipe")
            missing = error.stage == "exec" and error.errno == errno.ENOENT
            room = syscalls.room() if forking else ""
            return SpawnFailed(effect.unit, f"{error.stage}: {os.strerror(error.errno)}", forking, missing, room)
        return Spawned(effect.unit, self._identify(pid))

    def _spawn_web(self) -> int:
        """A new letterbox for each web, so that no old word reaches a new one."""
        self._close_letterbox()
        try:
            ours, theirs = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        except OSError as error:
            raise syscalls.SpawnError("pipe", error.errno or 0) from None
        try:
            pid = syscalls.spawn(plans.web_plan(theirs.fileno(), [each.fd for each in self.world.listeners]))
        except syscalls.SpawnError:
            ours.close()
            raise
        finally:
            theirs.close()
        ours.setblocking(False)
        self._letterbox = ours
        self._epoll.register(ours.fileno(), select.EPOLLIN)
        return pid

    def _signal(self, effect: Signal) -> None:
        """Send to a child; one that has ended meanwhile, or is not ours to signal, is no error of ours."""
        try:
            if effect.group:
                self._signal_group(effect.pid, effect.number)
            else:
                syscalls.send_signal(effect.pid, effect.number)
        except OSError as error:
            name = signals.name_of(effect.number)
            self.speaker.say("warning", f"could not send {name} to {effect.pid}: {os.strerror(error.errno or 0)}")

    def _signal_group(self, pid: int, number: int) -> None:
        """The group that the child was born into; the child alone where it has left that empty."""
        try:
            syscalls.send_group(pid, number)
        except ProcessLookupError:
            syscalls.send_signal(pid, number)
        else:
            if number == KILL:
                syscalls.send_signal(pid, number)  # it may have left a group that others are still in

    def _deliver(self, effect: Deliver) -> Delivered:
        stat = _stat_of(effect.pid)
        name = stat.name if stat is not None else None
        process = ProcessId(effect.pid, effect.starttime or (stat.starttime if stat is not None else 0))
        if self.world.role != "pid1" and not self._is_below_us(effect.pid):
            why = "it is not below initd, which is not PID 1 here"
            return Delivered(effect.ticket, process, name, errno.EPERM if stat else errno.ESRCH, why)
        try:
            sent = syscalls.send_guarded(effect.pid, effect.starttime, effect.number)
        except OSError as error:
            number = errno.ESRCH if error.errno == errno.ENOENT else error.errno or 0
            return Delivered(effect.ticket, process, name, number, os.strerror(number))
        return Delivered(effect.ticket, process, name, reused=not sent)

    def _is_below_us(self, pid: int) -> bool:
        ourselves = os.getpid()
        while pid > 1:
            if pid == ourselves:
                return True
            stat = _stat_of(pid)
            pid = stat.ppid if stat is not None else 0
        return False

    def _sweep(self, effect: Sweep) -> Surveyed:
        """Signal all that is left but web: as PID 1 the whole namespace, else our descendants."""
        sent, left = 0, self._left()
        for pid in left if effect.number else ():
            try:
                syscalls.send_signal(pid, effect.number)
                sent += 1
            except OSError:  # gone meanwhile, or another user's
                continue
        return Surveyed(sent, len(left))

    def _left(self) -> list[int]:
        spared = {os.getpid(), self.core.web.process.pid if self.core.web.process is not None else 0}
        stats = [stat for stat in _all_stats() if stat.state not in "ZX"]
        if self.world.role == "pid1":
            return [stat.pid for stat in stats if stat.pid not in spared]
        parents = {stat.pid: stat.ppid for stat in _all_stats()}
        return [stat.pid for stat in stats if stat.pid not in spared and _is_below(stat.pid, os.getpid(), parents)]

    def _send(self, effect: Send) -> Dropped | None:
        if self._letterbox is None:
            return None
        try:
            self._letterbox.send(effect.datagram)
        except BlockingIOError:
            return Dropped(effect.events)
        except OSError:  # web has gone; its exit tells the rest
            return None
        return None

    def _read_letterbox(self, letterbox: _socket.socket) -> None:
        for _ in range(_TAKE):
            try:
                data = letterbox.recv(wire.LIMIT + 1)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._close_letterbox()
                self.feed(LetterboxClosed())
                return
            try:
                message = wire.decode(data)
            except wire.Malformed as malformed:
                self.feed(Garbled(str(malformed)))
                continue
            self.feed(Asked(message))

    def _close_letterbox(self) -> None:
        if self._letterbox is not None:
            self._epoll.unregister(self._letterbox.fileno())
            self._letterbox.close()
            self._letterbox = None

    def _log(self, effect: Log) -> None:
        self.speaker.say(effect.level, effect.text)

    def _exit(self, effect: Exit) -> None:
        self.code = effect.code


def _stat_of(pid: int) -> procfs.Stat | None:
    """What /proc says of it; None when it has gone, or cannot be read."""
    try:
        return procfs.parse_stat(syscalls.read_stat(pid))
    except (OSError, ValueError):
        return None


def _all_stats() -> list[procfs.Stat]:
    try:
        pids = syscalls.all_pids()
    except OSError:  # no /proc: then there is nobody that we could know of
        return []
    return [stat for stat in map(_stat_of, pids) if stat is not None]


def _is_below(pid: int, ancestor: int, parents: dict[int, int]) -> bool:
    while pid > 1:
        pid = parents.get(pid, 0)
        if pid == ancestor:
            return True
    return False


def _ended(reaped: syscalls.Reaped, stat: procfs.Stat | None) -> ChildEnded:
    status = reaped.status
    signalled = os.WIFSIGNALED(status)
    lifetime = None
    if stat is not None:
        lifetime = round(max(0.0, syscalls.boot_clock() - stat.starttime / syscalls.TICKS_PER_SECOND), 2)
    return ChildEnded(
        ProcessId(reaped.pid, stat.starttime if stat is not None else 0),
        stat.name if stat is not None else None,
        ExitStatus(
            None if signalled else os.WEXITSTATUS(status),
            os.WTERMSIG(status) if signalled else None,
            os.WCOREDUMP(status),
        ),
        lifetime,
        reaped.cpu_seconds,
        reaped.max_resident_bytes,
    )


def _place_of(error: BaseException) -> str:
    """File and line where it was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "an unknown place"
    return f"{trace.tb_frame.f_code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}"
