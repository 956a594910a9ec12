"""What the core decided is done here: one method for each effect.

Law of this file: perform, and say what came of it as an input. No decisions, no waiting.
"""

from __future__ import annotations

import errno
import posix as os

from initd import plans, proctable, room, sending, signals, spawning, waiting
from initd.credentials import Files
from initd.effects import Deliver, Dismiss, Exit, Inspect, Log, Look, Park, Send, Signal, Spawn, Sweep
from initd.inputs import (
    ChildrenListed,
    Delivered,
    Dropped,
    FilesChanged,
    Parked,
    Spawned,
    SpawnFailed,
    Surveyed,
)
from initd.model import HEALTH_EXEC, MAIN, POST_STOP, PRE_START, READY_EXEC, TLS_CHECK, WEB, ProcessId
from initd.spare import Spare

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from initd.boot import World
    from initd.cli import Config
    from initd.earshot import Earshot
    from initd.letterbox import Letterbox

_KILL = signals.NUMBERS["KILL"]


class Hands:
    """Acts on the world that the bootstrap made."""

    def __init__(
        self, world: World, letterbox: Letterbox, earshot: Earshot, known: Callable[[int], bool]
    ) -> None:
        self.world, self.letterbox, self.earshot = world, letterbox, earshot
        self._spawners = {MAIN: lambda _: spawning.spawn(world.plan), WEB: self._spawn_web}
        self._known = known  # whether the core has met this child
        self.code: int | None = None  # set by the last effect: what to exit with
        self._files = Files(world.config)
        self._spare = world.spare or Spare(listener.fd for listener in world.listeners)
        self._ways: dict[type, Callable[[Any], object | None]] = {
            Spawn: self._spawn,
            Signal: self._signal,
            Deliver: self._deliver,
            Sweep: self._sweep,
            Look: self._look,
            Park: self._park,
            Dismiss: self._dismiss,
            Inspect: self._inspect,
            Send: self._send,
            Log: self._log,
            Exit: self._exit,
        }

    def perform(self, effect: object) -> object | None:
        """Do it; the input that comes of it, if any."""
        return self._ways[type(effect)](effect)

    def _spawn(self, effect: Spawn) -> Spawned | SpawnFailed:
        if effect.unit in (READY_EXEC, HEALTH_EXEC) and (short := room.short()):
            return SpawnFailed(effect.unit, short, forking=True, spared=True)
        try:
            pid = self._spawners.get(effect.unit, self._spawn_helper)(effect)
        except spawning.SpawnError as error:
            return spawn_failure(effect.unit, error, self.world.config)
        return Spawned(effect.unit, proctable.identify(pid))

    def _spawn_helper(self, effect: Spawn) -> int:
        """A hook writes where we do; of what a check writes the last line is kept."""
        if effect.unit in (PRE_START, POST_STOP):
            return spawning.spawn(self._plan(effect, -1))
        writer = self.earshot.open()
        try:
            pid = spawning.spawn(self._plan(effect, writer))
        except spawning.SpawnError:
            self.earshot.abandon()
            raise
        finally:
            os.close(writer)
        self.earshot.listen(pid)
        return pid

    def _plan(self, effect: Spawn, output: int) -> spawning.Plan:
        config = self.world.config
        if effect.unit == TLS_CHECK:
            return plans.tls_plan(config, output)
        return plans.helper_plan(self.world.base, command_of(config, effect.unit), effect.environ, output)

    def _spawn_web(self, _: Spawn) -> int:
        try:
            theirs = self.letterbox.open()
        except OSError as error:
            raise spawning.SpawnError("pipe", error.errno or 0) from None
        try:
            return self._fork_web(theirs.fileno())
        except spawning.SpawnError:
            self.letterbox.close()
            raise
        finally:
            theirs.close()

    def _fork_web(self, letterbox: int) -> int:
        """A new process, or the spare one where none can be made."""
        listening = [listener.fd for listener in self.world.listeners]
        try:
            return spawning.spawn(plans.web_plan(letterbox, listening))
        except spawning.SpawnError as error:
            if error.forking and (pid := self._spare.use(letterbox)):
                return pid
            raise

    def _park(self, _: Park) -> Parked:
        limited = room.limited()
        return Parked(self._spare.park() if limited else 0, limited)

    def _dismiss(self, _: Dismiss) -> None:
        self._spare.dismiss()

    def _inspect(self, _: Inspect) -> FilesChanged | None:
        return self._files.inspect()

    def _signal(self, effect: Signal) -> None:
        """To a child or a group; one that is not ours to signal (it changed its user) is no error of ours."""
        try:
            if effect.group:
                _signal_group(effect.pid, effect.number)
            else:
                sending.send_signal(effect.pid, effect.number)
        except ProcessLookupError:
            return  # nobody was left in the group
        except OSError as error:
            name, why = signals.name_of(effect.number), os.strerror(error.errno or 0)
            self.world.speaker.say("warning", f"could not send {name} to {effect.pid}: {why}")

    def _deliver(self, effect: Deliver) -> Delivered:
        stat = proctable.stat_of(effect.pid)
        now = stat.starttime if stat is not None else 0
        process = ProcessId(effect.pid, now if effect.starttime is None else effect.starttime)
        name = stat.name if stat is not None and now == process.starttime else None  # never a stranger's
        if stat is not None and not self._may_signal(effect.pid):
            why = "it is not below initd, which is not PID 1 here"
            return Delivered(effect.ticket, process, name, errno.EPERM, why)
        try:
            sent = sending.send_guarded(effect.pid, effect.starttime, effect.number)
        except OSError as error:
            number = errno.ESRCH if error.errno == errno.ENOENT else error.errno or errno.EPERM
            return Delivered(effect.ticket, process, name, number, os.strerror(number))
        return Delivered(effect.ticket, process, name, reused=not sent)

    def _may_signal(self, pid: int) -> bool:
        """Outside a namespace of our own, only what is below us: the rest of the machine is not ours."""
        if self.world.role == "pid1" or pid == os.getpid():
            return True
        return os.getpid() in proctable.ancestors(pid)

    def _sweep(self, effect: Sweep) -> Surveyed:
        if self.world.role == "pid1" and sending.nobody_else():
            return Surveyed(0, 0)  # as is usual; a listing of /proc would take ten times as long
        if not self.world.proc:
            return self._sweep_blindly(effect)
        left = proctable.left_over(self.world.role, {os.getpid(), *effect.spared})
        sent = sum(_send(pid, effect.number) for pid in left) if effect.number else 0
        return Surveyed(sent, len(left))

    def _sweep_blindly(self, effect: Sweep) -> Surveyed:
        """Without /proc nobody can be told apart: as PID 1 all get it, web too; else nobody does."""
        if self.world.role != "pid1":
            return Surveyed(0, 0)
        left = int(waiting.has_children())
        if effect.number and left:
            sending.send_everyone(effect.number)
        return Surveyed(left, left)

    def _look(self, effect: Look) -> ChildrenListed:
        return proctable.children(self._known, fds=effect.fds)

    def _send(self, effect: Send) -> Dropped | None:
        return None if self.letterbox.send(effect.datagram) else Dropped(effect.events)

    def _log(self, effect: Log) -> None:
        self.world.speaker.say(effect.level, effect.text)

    def _exit(self, effect: Exit) -> None:
        self.code = effect.code


def spawn_failure(unit: str, error: spawning.SpawnError, config: Config) -> SpawnFailed:
    """What the core is to know of it."""
    why = str(error) if unit == WEB else plans.explain(error, config, command_of(config, unit))
    if not error.forking:
        return SpawnFailed(unit, why, forking=False, code=error.code)
    limit = "nproc" if error.crowded else room.hit(error.errno)
    return SpawnFailed(unit, why, forking=True, room=room.report(error.errno), limit=limit)


def command_of(config: Config, unit: str) -> tuple[str, ...]:
    """Main's argv, or that of the option which is called ``unit``."""
    if unit == MAIN:
        return config.argv
    argv: tuple[str, ...] = getattr(config, unit.replace("-", "_"), ("web.tls",))
    return argv


def _send(pid: int, number: int) -> bool:
    try:
        sending.send_signal(pid, number)
    except OSError:  # gone meanwhile, or another user's
        return False
    return True


def _signal_group(pid: int, number: int) -> None:
    """The group that the child was born into; the child alone where it has left that empty."""
    try:
        sending.send_group(pid, number)
    except ProcessLookupError:
        sending.send_signal(pid, number)
    else:
        if number == _KILL:
            sending.send_signal(pid, number)  # it may have left a group that others are still in
