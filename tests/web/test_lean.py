"""web.lean: what nobody needs does not run, and whoever needs it after all finds it whole."""

from __future__ import annotations

import html
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from tests.authority import Authority
from tests.web.fake_core import CONTROL
from tests.web.served import ROOT, Web, served


def python(code: str) -> str:
    """What an interpreter says that has nothing of ours or pytest's loaded."""
    command = [sys.executable, "-I", "-c", f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{code}"]
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=20).stdout


def libraries(web: Web) -> set[str]:
    """The shared objects that it has mapped, by the first word of their names."""
    words = [line.split() for line in Path(f"/proc/{web.process.pid}/maps").read_text().splitlines()]
    return {Path(line[5]).name.partition(".")[0] for line in words if ".so" in line[-1]}


def test_with_all_of_web_imported_what_it_does_not_use_has_not_run() -> None:
    said = python(
        "from web import __main__, lean\n"
        "print([name for name in lean.WAITING if not lean.waits(name)])\n"
        "print(sorted({'click', 'multiprocessing', 'http.server', '_ssl'} & sys.modules.keys()))"
    )
    assert said == "[]\n[]\n"


def test_without_tls_web_answers_everything_without_openssl() -> None:
    with served(connects=False) as web:
        for path in ("/livez", "/metrics", "/api/v1/status", "/api/v1/tree", "/nothing"):
            web.ask(path, token=CONTROL)
        assert "_json" in libraries(web)
        assert not libraries(web) & {"libssl", "libcrypto", "_ssl", "_hashlib"}


@pytest.mark.parametrize("why", ["tls", "checks"])
def test_where_tls_may_be_spoken_it_is_loaded_before_the_first_request(
    why: str, authority: Authority
) -> None:
    pair = authority.issue("localhost")
    files = {"cert": pair.cert, "key": pair.key, "client_ca": None}
    with served(tls=files if why == "tls" else None, connects=why == "checks") as web:
        assert "libssl" in libraries(web)


def test_what_is_asked_for_more_than_it_has_runs_and_is_what_it_always_is() -> None:
    said = python(
        "from web import lean\n"
        "import html, ssl\n"
        "print(html.__name__, lean.waits('html'), html.escape('<'), lean.waits('html'), html.__file__)\n"
        "print(ssl.CERT_NONE, isinstance(0, ssl.SSLSocket), lean.waits('ssl'))\n"
        "lean.load('ssl')\n"
        "print(repr(ssl.CERT_NONE), isinstance(0, ssl.SSLSocket), lean.waits('ssl'))\n"
        "lean.load('ssl', 'json')\n"
        "print(repr(ssl.create_default_context().verify_mode))"
    )
    assert said.splitlines() == [
        f"html True &lt; False {html.__file__}",
        "0 False True",
        f"{ssl.CERT_NONE!r} False False",
        f"{ssl.CERT_REQUIRED!r}",
    ]


def test_what_may_be_had_without_running_is_what_the_module_has() -> None:
    said = python("from web import lean\nhaving = lean.HAVING['ssl']\nhaving.pop('SSLSocket')\nprint(having)")
    assert (
        said
        == f"{ {'PROTOCOL_TLS_SERVER': int(ssl.PROTOCOL_TLS_SERVER), 'CERT_NONE': int(ssl.CERT_NONE)} }\n"
    )


def test_what_is_loaded_already_is_left_alone_and_what_is_not_there_is_not_found() -> None:
    said = python(
        "import html, _hashlib\n"
        "from web import lean\n"
        "lean.WAITING += ('no_such_module',)\n"
        "print(lean.waits('html'), sys.modules['_hashlib'] is _hashlib)\n"
        "try: import no_such_module\n"
        "except ModuleNotFoundError as error: print(error)"
    )
    assert said == "False True\nNo module named 'no_such_module'\n"
