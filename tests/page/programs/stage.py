"""The main command of these tests: at a signal it does one thing to look at.

USR1: one more child that has ended and is not waited for. USR2: waits for all of them. HUP: a parent and its
child, both living. WINCH: that parent ends, and its child is an orphan.
"""

import ctypes
import os
import signal

PR_SET_PDEATHSIG = 1  # prctl(2)
SIGNALS = {signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP, signal.SIGWINCH}
# A name and an argument as an attacker would choose them: markup, a change of direction, a terminal's escape.
HOSTILE_NAME = "<img src=x>\u202e"
HOSTILE_ARGUMENT = "<img src=x onerror=\"document.title='owned'\"> \u202egpj.exe \x1b[31m"


def called(name: str) -> None:
    with open("/proc/self/comm", "wb") as file:
        file.write(name.encode())


def child(name: str, arguments: tuple[str, ...] = (), survives: bool = False) -> int:
    """A child that lives until it is told not to, or for as long as its parent does."""
    pid = os.fork()
    if pid == 0:
        if not survives:
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        if arguments:
            code = f"import signal; open('/proc/self/comm', 'wb').write({name.encode()!r}); signal.pause()"
            command = ["python3", "-I", "-S", "-c", code, *arguments]
            os.execv("/proc/self/exe", command)  # noqa: S606  no shell is the point
        called(name)
        while True:
            signal.pause()
    return pid


def family() -> int:
    """A parent called worker with a child called lost; ends with TERM."""
    pid = os.fork()
    if pid == 0:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        called("worker")
        child("lost", survives=True)
        while True:
            signal.pause()
    return pid


def zombie() -> int:
    pid = os.fork()
    if pid == 0:
        called("git")
        os._exit(0)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return pid


def main() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    called("stage")
    for _ in range(6):
        child("idler")
    child(HOSTILE_NAME, (HOSTILE_ARGUMENT,))
    dead: list[int] = []
    parent = 0
    print("ready", flush=True)
    while True:
        match signal.sigwait(SIGNALS):
            case signal.SIGUSR1:
                dead.append(zombie())
            case signal.SIGUSR2:
                while dead:
                    os.waitpid(dead.pop(), 0)
            case signal.SIGHUP:
                parent = family()
            case signal.SIGWINCH:
                os.kill(parent, signal.SIGTERM)
                os.waitpid(parent, 0)


main()
