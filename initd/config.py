"""What the user asked for, settled and frozen.

Law of this file: the attributes and their types, and nothing that acts. They are made by cli.py, one for each
row of options.py's table and a few that only being another program changes. Imported before main runs.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from initd.credentials import Fingerprint
    from initd.inputs import Credentials
    from initd.personas import Persona


class Config:
    """What the user asked for; one attribute per row of the table, read-only once made."""

    argv: tuple[str, ...]
    tokens: str | None  # the file's name
    token: str | None  # the one that INITD_TOKEN holds
    files: tuple[str, ...]  # that hold secrets
    files_seen: Fingerprint  # what they looked like before they were read
    credentials: Credentials  # what those two say; as it was at the start
    tls_cert: str | None
    tls_key: str | None
    tls_client_ca: str | None
    no_redact: bool
    listen: tuple[tuple[str, int], ...]
    listen_asked: bool  # False: the default address, which may be taken without harm
    warnings: tuple[str, ...]
    restart: tuple[str, int | None]
    stop_signal: int
    stop_timeout: float
    sweep_timeout: float
    drain: float
    notify: bool
    watchdog: float  # seconds; 0 is none
    ready_tcp: str | None  # ADDR:PORT
    ready_http: str | None
    ready_exec: tuple[str, ...] | None
    ready_period: float
    ready_timeout: float
    ready_failures: int
    ready_max_zombies: int | None
    ready_free_pids: int | None
    health_tcp: str | None
    health_http: str | None
    health_exec: tuple[str, ...] | None
    health_period: float
    health_timeout: float
    health_failures: int
    health_grace: float
    health_action: str  # restart, shutdown, none
    pre_start: tuple[str, ...] | None
    pre_start_timeout: float
    post_stop: tuple[str, ...] | None
    post_stop_timeout: float
    wait_orphans: float | None  # seconds, or infinity
    signal_orphans: bool
    kill_orphans: bool
    expect_exit: tuple[int, ...]
    user: tuple[str, str | None] | None
    workdir: str | None
    umask: int | None
    nice: int | None
    oom_score_adj: int | None
    rlimit: tuple[tuple[int, int, int], ...]
    group: bool
    rewrite: tuple[tuple[int, int], ...]
    session: bool
    subreaper: bool
    parent_death_signal: int | None
    warn_on_reap: bool
    socket: str | None
    anonymous: str
    allow_host: tuple[str, ...]
    http_user: str
    history: int
    observe: bool
    no_http: bool
    verbose: int
    quiet: bool
    log_format: str
    persona: Persona | None  # whom we are called as, if it is not initd
    own_group: bool  # main leads a process group; False: it stays in ours
    adopts: bool  # become a subreaper where we are not PID 1
    suspends: bool  # when we are told to stop by the terminal, we do, after main
    farewell: bool  # TERM to main's group on our way out
    default_signals: bool  # main starts with no signal ignored or blocked
    own_signals: tuple[int, ...]  # not forwarded: they do to us what they do to any program
    listen_pid: bool  # a LISTEN_PID that is ours becomes main's; sd_listen_fds(3)

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.__dict__.update(values)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("the configuration is frozen")
