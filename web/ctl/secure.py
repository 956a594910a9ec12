"""TLS, where the URL begins with https.

Law of this file: whom to trust and what to show, and whose fault it is when that fails. Loaded only then: it
costs 20 ms.
"""

from __future__ import annotations

import socket
import ssl
from functools import lru_cache

from web.ctl.errors import Unreachable, Usage
from web.ctl.place import Target, Trust


def secured(connection: socket.socket, target: Target, trust: Trust) -> socket.socket:
    """The connection as TLS. Raises Usage, Unreachable and OSError; then it is closed."""
    try:
        return _context(trust).wrap_socket(connection, server_hostname=target.host)
    except ssl.SSLCertVerificationError as error:
        why = error.verify_message.rstrip(".").lower()
        cure = "say --cacert FILE, and a name that stands in it"
        raise Unreachable(f"cannot trust initd at {target}: {why}; {cure}") from None
    except ssl.SSLError as error:
        if error.reason != "WRONG_VERSION_NUMBER":
            raise
        raise Unreachable(f"cannot reach initd at {target}: it does not speak TLS; say http://") from None
    finally:
        connection.close()  # on success it has been taken over, and this does nothing


@lru_cache(maxsize=1)
def _context(trust: Trust) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=trust.cacert)
        if trust.cert is not None:
            context.load_cert_chain(trust.cert, trust.key)
    except OSError as error:  # ssl.SSLError is one
        files = ", ".join(filter(None, (trust.cacert, trust.cert, trust.key)))
        why = (error.strerror or str(error)).lower()
        raise Usage(f"cannot use {files}: {why}; say --cacert, --cert and --key with files in PEM") from None
    if trust.anyone:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
