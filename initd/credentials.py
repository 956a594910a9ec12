"""The files that hold secrets: which they are, and whether they were changed.

Law of this file: PID 1 looks at names, times and sizes, and reads tokens; a private key it never reads.
"""

from __future__ import annotations

import posix as os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from initd.cli import Config
    from initd.inputs import FilesChanged

    Fingerprint = tuple[tuple[int, int, int] | None, ...]


def files(values: Mapping[str, Any]) -> tuple[str, ...]:
    """Those that were named, by the values of the options."""
    named = (values["tokens"], values["tls_cert"], values["tls_key"], values["tls_client_ca"])
    return tuple(name for name in named if name is not None)


class Files:
    """What they looked like last; at first, when the options were read."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._names, self._seen = config.files, config.files_seen

    def inspect(self) -> FilesChanged | None:
        """None while they are as they were. That Kubernetes moves a symlink instead is seen."""
        seen = fingerprint(self._names)
        if seen == self._seen:
            return None
        self._seen = seen
        from initd import tokens  # for those who have any
        from initd.inputs import FilesChanged

        try:
            return FilesChanged(tokens.read(self._config.tokens, self._config.token))
        except ValueError as error:
            return FilesChanged(None, str(error))


def fingerprint(names: tuple[str, ...]) -> Fingerprint:
    return tuple(_look(name) for name in names)


def _look(name: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(name)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
