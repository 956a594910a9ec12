"""Start of web: ``python -I -m web``, with the letterbox as descriptor 3.

Law of this file: the order of starting, and of ending. All imports come first, so that nothing is loaded,
and no thread or process made, once requests arrive.
"""

from __future__ import annotations

from web import lean  # before all that it keeps from running

# isort: split
import asyncio
import encodings.ascii
import encodings.idna  # else these are loaded at their first use: a host name, a name with control characters
import encodings.unicode_escape  # noqa: F401  all three for their effect
import errno
import gc
import os
import signal
import socket
import ssl
from typing import Any, NoReturn

from initd.wire import Malformed
from web import app, privileges, sandbox, server, tls
from web.house import Config, House, Tls
from web.link import Link, read_hello
from web.memory import Memory
from web.mirror import Mirror
from web.observer import observe
from web.sampler import Sampler
from web.say import once, say

LETTERBOX = 3


def main() -> int:
    """Everything that needs no event loop; then the event loop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C at the terminal is for the main command
    privileges.die_with_parent()
    privileges.first_to_go()
    privileges.name_self("initd-web")
    letterbox = socket.socket(fileno=LETTERBOX)
    try:
        config = Config.of(read_hello(letterbox))
    except EOFError:
        return 0
    except (Malformed, KeyError, TypeError, ValueError) as error:
        say(f"cannot understand the init's greeting: {error!r}; both must be of one version")
        return 1
    if os.getppid() != config.init_pid:
        return 0  # it died before we asked to be told
    if config.tls or config.connects:
        lean.load(*lean.TLS)
    secure = _load(config.tls)
    privileges.drop(config.http_user)
    privileges.die_with_parent()
    privileges.look_around(config.init_pid)
    sandbox.raise_walls(config)
    return asyncio.run(_serve(letterbox, config, secure))


def _load(files: Tls | None) -> ssl.SSLContext | None:
    """What TCP speaks. PID 1 had the files looked at, but that may be long ago."""
    if files is None:
        return None
    try:
        secure = tls.context(*files)
    except tls.Unusable as error:
        say(f"{error}; nothing is answered over TCP until then")
        return None
    if reproach := tls.reproach(secure, files.cert):
        say(reproach)
    return secure


async def _serve(letterbox: socket.socket, config: Config, secure: ssl.SSLContext | None) -> NoReturn:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_odd)
    ending = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ending.set)
    mirror = Mirror(config.history)
    sampler = Sampler()
    sampler.start()
    link = Link(letterbox, mirror, on_bye=lambda: _leave(house, ending), on_gone=lambda: os._exit(0))
    house = House(config, link, mirror, sampler, Memory())
    serving = server.make(app.make(house), house, ending, secure)
    link.attach()
    observing = loop.create_task(observe(house))
    open_to = [each for each in config.listen if each.kind == "unix" or config.tls is None or secure]
    sandbox.close_door(config)
    gc.freeze()  # what was imported stays: to look through it again took 15 ms, twice a second under load
    await serving.serve(sockets=[socket.socket(fileno=each.fd) for each in open_to])
    observing.cancel()
    letterbox.close()  # with this the init knows that nothing follows
    # No farewell: the sampler's thread may hang in a read of /proc, and a TERM that came after the loop
    # closed its wake-up descriptor would make Python complain.
    os._exit(0)


def _leave(house: House, ending: asyncio.Event) -> None:
    """The init itself ends, and waits for us."""
    house.leaving = True
    ending.set()


def _odd(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What asyncio has to complain of, as one line; that it cannot accept, each second, only once."""
    error = context.get("exception")
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        once(f"cannot accept connections at times: {error.strerror}; raise the limit of open files")
    else:
        say(f"{context.get('message')}: {error!r}")


if __name__ == "__main__":
    os._exit(main())
