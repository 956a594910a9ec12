"""The files that hold secrets: which they are, and whether they were changed.

Law of this file: PID 1 looks at names, times and sizes, and reads tokens; a private key it never reads.
"""

from __future__ import annotations

import posix as os

from initd.inputs import FilesChanged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from initd.cli import Config

    Fingerprint = tuple[tuple[int, int, int] | None, ...]


def files(config: Config) -> tuple[str, ...]:
    """Those that were named."""
    named = (config.tokens, config.tls_cert, config.tls_key, config.tls_client_ca)
    return tuple(name for name in named if name is not None)


class Files:
    """What they looked like last."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._seen = _fingerprint(files(config))

    def inspect(self) -> FilesChanged | None:
        """None while they are as they were. That Kubernetes moves a symlink instead is seen."""
        seen = _fingerprint(files(self._config))
        if seen == self._seen:
            return None
        self._seen = seen
        from initd import tokens  # for those who have any

        try:
            return FilesChanged(tokens.read(self._config.tokens, self._config.token))
        except ValueError as error:
            return FilesChanged(None, str(error))


def _fingerprint(names: tuple[str, ...]) -> Fingerprint:
    return tuple(_look(name) for name in names)


def _look(name: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(name)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
