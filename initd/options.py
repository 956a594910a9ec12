"""Every option of initd in one table, from which parsing, help and the environment's names are made.

Law of this file: the table; what a kind of value looks like is values.py's. Imported before main
runs, so it stays light.
"""

from __future__ import annotations

from initd.record import record
from initd.values import (
    account,
    address,
    choice,
    command,
    duration,
    exit_code,
    host_name,
    listen,
    number,
    octal,
    path,
    period,
    restart,
    rewrite,
    rlimit,
    signal,
    socket_path,
    url,
    user,
    word,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

ROLES = ("health", "metrics", "read", "control")
DEFAULT_LISTEN = (("::", 9911),)
DEFAULT_SOCKET = "/run/initd.sock"
TOKEN_MINIMUM = 20  # characters: below that a token can be guessed over the network


@record
class Option:
    """One row: ``metavar`` None is a flag; ``many`` may be repeated; ``count`` adds up (-vv)."""

    name: str
    short: str
    metavar: str | None
    convert: Callable[[str], Any] | None
    default: Any
    help: str
    many: bool = False
    implied: Any = None  # the value of the bare option; another one can only follow "="
    count: bool = False

    @property
    def key(self) -> str:
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        return "INITD_" + self.key.upper()


def _flag(name: str, short: str, help: str, *, count: bool = False) -> Option:
    return Option(name, short, None, None, 0 if count else False, help, count=count)


# What a reader of --help meets first comes first. Sections are the rows that are plain words.
OPTIONS: tuple[Option | str, ...] = (
    "Main",
    Option("restart", "", "POLICY", restart, ("no", None), "no, on-failure[:N] or always (default no)"),
    Option("stop-signal", "", "SIG", signal, 15, "how the API stops main (default TERM)"),
    Option("stop-timeout", "", "DUR", duration, 10.0, "then KILL to its group after this (default 10s)"),
    Option("sweep-timeout", "", "DUR", duration, 1.0, "what main leaves behind gets TERM, then KILL after this (default 1s; 0 = no sweep)"),
    Option("drain", "", "DUR", duration, 0.0, "hold a TERM back this long while /readyz says 503"),
    _flag("notify", "", "give main a socket for sd_notify; it is ready when it says READY=1"),
    Option("watchdog", "", "DUR", duration, 0.0, "restart main when it does not say WATCHDOG=1 this often"),
    Option("wait-orphans", "", "DUR", duration, None, "when main has ended, wait for adopted daemons too; =DUR: so long at most", implied=float("inf")),
    _flag("signal-orphans", "", "forward signals to adopted processes as well"),
    _flag("kill-orphans", "", "an orphan gets TERM when its parent dies, and KILL after the stop timeout"),
    Option("expect-exit", "e", "CODE", exit_code, (), "treat this exit code of main as 0", many=True),
    Option("user", "", "U[:G]", user, None, "run main as this user and group"),
    Option("workdir", "", "DIR", word, None, "run main in this directory"),
    Option("umask", "", "MASK", octal, None, "main's umask"),
    Option("nice", "", "N", number(-20, 19), None, "main's nice value"),
    Option("oom-score-adj", "", "N", number(-1000, 1000), None, "main's OOM score adjustment"),
    Option("rlimit", "", "NAME=SOFT[:HARD]", rlimit, (), "a resource limit for main", many=True),
    "Readiness and health of main",
    Option("ready-tcp", "", "[ADDR:]PORT", address, None, "main is ready when it accepts a connection here"),
    Option("ready-http", "", "URL", url, None, "main is ready when a GET here is answered with 200 to 399; 8080/path will do"),
    Option("ready-exec", "", "CMD", command, None, "main is ready when this command ends with 0"),
    Option("ready-period", "", "DUR", period, 1.0, "how often readiness is checked (default 1s)"),
    Option("ready-timeout", "", "DUR", period, 1.0, "how long one such check may take (default 1s)"),
    Option("ready-failures", "", "N", number(1, 1000), 3, "so many failures in a row make a ready main unready (default 3)"),
    Option("ready-max-zombies", "", "N", number(0, 4_194_304), None, "not ready while there are more zombies than this (default: no limit)"),
    Option("ready-free-pids", "", "N", number(1, 4_194_304), None, "not ready while fewer pids than this are left below the limit (default: no limit)"),
    Option("health-tcp", "", "[ADDR:]PORT", address, None, "restart main when it accepts no connection here"),
    Option("health-http", "", "URL", url, None, "restart main when a GET here is not answered with 200 to 399"),
    Option("health-exec", "", "CMD", command, None, "restart main when this command does not end with 0"),
    Option("health-period", "", "DUR", period, 10.0, "how often health is checked (default 10s)"),
    Option("health-timeout", "", "DUR", period, 1.0, "how long one such check may take (default 1s)"),
    Option("health-failures", "", "N", number(1, 1000), 3, "so many failures in a row are one too many (default 3)"),
    Option("health-grace", "", "DUR", duration, 0.0, "how long after its start main may be unhealthy (default 0)"),
    Option("health-action", "", "ACTION", choice("restart", "shutdown", "none"), "restart", "restart main, shutdown, or none: only /readyz says so (default restart)"),
    "Before and after main",
    Option("pre-start", "", "CMD", command, None, "run this to its end before each start of main; when it fails, main is not started"),
    Option("pre-start-timeout", "", "DUR", period, 60.0, "how long that may take (default 60s)"),
    Option("post-stop", "", "CMD", command, None, "run this after each end of main, which is in EXIT_CODE and EXIT_STATUS"),
    Option("post-stop-timeout", "", "DUR", period, 5.0, "how long that may take (default 5s)"),
    "Signals and reaping",
    _flag("group", "g", "forward signals to main's whole process group"),
    Option("rewrite", "r", "FROM:TO", rewrite, (), "translate a signal before forwarding; TO 0 drops it", many=True),
    _flag("session", "", "run main in a session of its own, forward to its whole group, and stop when that is stopped"),
    _flag("subreaper", "s", "adopt orphans although we are not PID 1 (then the default)"),
    Option("parent-death-signal", "p", "SIG", signal, None, "get this signal when our own parent dies"),
    _flag("warn-on-reap", "w", "log every orphan that is reaped"),
    "HTTP",
    Option("listen", "", "ADDR:PORT", listen, None, "where to listen (default [::]:9911); none for no TCP", many=True),
    Option("socket", "", "PATH", socket_path, DEFAULT_SOCKET, "unix socket with full rights (default /run/initd.sock), or none"),
    Option("tokens", "", "FILE", path, None, "lines of ROLE TOKEN or ROLE cert:NAME; INITD_TOKEN is one control token"),
    Option("tls-cert", "", "FILE", path, None, "serve TLS on the TCP listeners: the certificate and what leads to its CA, PEM"),
    Option("tls-key", "", "FILE", path, None, "its private key, PEM; web reads it before it gives up its privileges"),
    Option("tls-client-ca", "", "FILE", path, None, "ask for client certificates of this CA; --tokens says who has which role"),
    Option("anonymous", "", "ROLE", choice(*ROLES), "metrics", "health, metrics, read or control without a token (default metrics)"),
    Option("allow-host", "", "NAME", host_name, (), "a further Host name to answer to", many=True),
    Option("http-user", "", "U", account, "nobody", "who the web process runs as when we are root (default nobody)"),
    Option("history", "", "N", number(1, 100_000), 2000, "how many events are kept (default 2000)"),
    _flag("no-redact", "", "show command lines as they are, with the passwords in them"),
    _flag("observe", "", "supervise nothing and signal nobody: watch the PID namespace that we are in"),
    _flag("no-http", "", "no HTTP: the process tree is exactly initd and main"),
    "Logging, to stderr",
    _flag("verbose", "v", "say more; twice, say everything", count=True),
    _flag("quiet", "q", "say only what is wrong"),
    Option("log-format", "", "FORMAT", choice("text", "json"), "text", "text or json"),
)  # fmt: skip
TABLE: tuple[Option, ...] = tuple(row for row in OPTIONS if isinstance(row, Option))
