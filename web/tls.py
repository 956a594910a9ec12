"""TLS of the TCP listeners: the server's context, and whether the files for it are any good.

Law of this file: files in, a context or one line out. ``python -I -m web.tls CERT KEY [CLIENT_CA]`` is how
PID 1, which reads no key and loads no TLS library, has them looked at before it relies on them.
"""

from __future__ import annotations

import os
import ssl
import stat
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn


class Unusable(Exception):
    """The files are no good; the text is the line to show."""


class _Encrypted(Exception):
    pass


def context(cert: str, key: str, client_ca: str | None = None) -> ssl.SSLContext:
    """What the listeners speak: TLS 1.2 or 1.3, HTTP/1.1 on it. Raises Unusable.

    A client need not have a certificate (kubelet's probes have none), but one that it shows must be good.
    """
    _look("cert", cert)
    _look("key", key)
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.options |= ssl.OP_NO_RENEGOTIATION  # it would cost us a hundred times what it costs a client
    made.set_alpn_protocols(["http/1.1"])
    _trust(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), "cert", cert)  # only to tell its faults from the key's
    try:
        made.load_cert_chain(cert, key, _refuse_to_ask)
    except _Encrypted:
        raise _unusable("key", key, "it has a passphrase", "give the key without one: openssl pkey") from None
    except ssl.SSLError as error:
        raise _unlike(error, cert, key) from None
    if client_ca is not None:
        _look("client-ca", client_ca)
        _trust(made, "client-ca", client_ca)
        made.verify_mode = ssl.CERT_OPTIONAL
    return made


def names_of(certificate: Mapping[str, Any] | None) -> tuple[str, ...]:
    """What a verified certificate calls its holder: common names, and DNS, URI and email names."""
    shown = certificate or {}
    subject = (pair for part in shown.get("subject", ()) for pair in part)
    common = [name for kind, name in subject if kind == "commonName"]
    others = [name for kind, name in shown.get("subjectAltName", ()) if kind in ("DNS", "URI", "email")]
    return (*common, *others)


def reproach(serving: ssl.SSLContext, cert: str) -> str | None:
    """Why clients will refuse this certificate, whomever they trust: it has expired, or is not for servers.

    We are such a client for a moment, in memory, and trust just this certificate.
    """
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_flags |= ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
    trusting.load_verify_locations(cert)
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(down, up)
    server = serving.wrap_bio(up, down, server_side=True)
    try:
        for end in (client, server, client):
            _go_on(end)
    except ssl.SSLError as error:
        why = getattr(error, "verify_message", None) or error.reason
        return f"clients will refuse --tls-cert {cert}: {why}; renew it"
    return None


def _go_on(end: ssl.SSLObject) -> None:
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return


def _look(option: str, path: str) -> None:
    """It must be a file that can be read, at once: a pipe would have us wait."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise _unusable(option, path, "it is not a file", "name one")
        with open(path, "rb"):
            return
    except OSError as error:
        raise _unusable(option, path, os.strerror(error.errno or 0), "give initd a readable file") from None


def _trust(trusting: ssl.SSLContext, option: str, path: str) -> None:
    try:
        trusting.load_verify_locations(path)
    except ssl.SSLError:
        raise _unusable(option, path, "it holds no certificate", "give a file in PEM") from None


def _refuse_to_ask() -> NoReturn:
    """OpenSSL would ask for a passphrase at the terminal, and wait."""
    raise _Encrypted


def _unlike(error: ssl.SSLError, cert: str, key: str) -> Unusable:
    """The two do not go together, or one of them is not what this OpenSSL takes."""
    if error.reason == "KEY_VALUES_MISMATCH":
        cure = "the certificate comes first in its file, then those of its issuers"
        return _unusable("key", key, f"it is not the key of {cert}", cure)
    if error.reason is None:
        return _unusable("key", key, "it holds no private key", "give a file in PEM")
    return _unusable("cert", cert, error.reason.lower().replace("_", " "), "give another")


def _unusable(option: str, path: str, why: str, cure: str) -> Unusable:
    return Unusable(f"cannot use --tls-{option} {path}: {why}; {cure}")


def main(files: Sequence[str]) -> int:
    """0 when they can be used; else 1, and why on one line."""
    try:
        context(*files)
    except Unusable as error:
        print(*str(error).split("\n"), sep="\\n", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
