"""web.access: who may do what, and by which names this server may be called."""

from __future__ import annotations

import pytest

from tests.web.fake_core import CONTROL, HEALTH, METRICS, READ, TOKENS, hello
from web.access import ROLES, Caller, Names, Peer, caller, is_address, require
from web.house import Config
from web.problem import Problem

TCP = Peer("tcp", None, "10.0.0.9")
OTHERS_UID = 4_000_000_000  # of nobody: not ours, not root's


def config(**changes: object) -> Config:
    return Config.of(hello(**{"init": {"pid": 1, "uid": 1000, "role": "pid1"}, **changes}))


def bearer(token: str) -> list[bytes]:
    return [b"Bearer " + token.encode()]


@pytest.mark.parametrize("anonymous", ROLES)
def test_without_a_token_a_peer_has_the_anonymous_role(anonymous: str) -> None:
    assert caller(TCP, [], config(anonymous=anonymous)) == Caller(anonymous, "nothing", "10.0.0.9")


@pytest.mark.parametrize(("token", "role"), [(METRICS, "metrics"), (READ, "read"), (CONTROL, "control")])
def test_a_token_gives_its_role_even_a_lower_one(token: str, role: str) -> None:
    assert caller(TCP, bearer(token), config(anonymous="control")) == Caller(role, "token", "10.0.0.9")


@pytest.mark.parametrize(
    "shown",
    [
        [b"Bearer wrong-wrong-wrong-wrong"],
        [b"Bearer " + READ.encode()[:-1]],
        [b"Bearer " + READ.encode() + b"x"],
        [b"Bearer \xff\xfe"],
        [b"Bearer "],
        [b"Bearer"],
        [b""],
        [b"Basic " + READ.encode()],
        [READ.encode()],
        [b"Bearer " + READ.encode(), b"Bearer " + READ.encode()],
    ],
)
def test_a_bad_credential_is_refused_even_where_none_is_needed_but_not_of_whom_the_kernel_vouches_for(
    shown: list[bytes],
) -> None:
    for peer in (TCP, Peer("unix", 4_321, "unix")):
        with pytest.raises(Problem) as caught:
            caller(peer, shown, config(anonymous="control"))
        assert caught.value.code == "unauthorized"
        assert caught.value.headers["WWW-Authenticate"].startswith("Bearer")
    assert caller(Peer("unix", 0, "unix"), shown, config(anonymous="health")).role == "control"


@pytest.mark.parametrize("spelling", [b"bearer ", b"BEARER ", b"Bearer   "])
def test_the_scheme_is_read_in_any_case(spelling: bytes) -> None:
    assert caller(TCP, [spelling + READ.encode()], config()).role == "read"


def test_a_token_may_be_any_text() -> None:
    token = "zwölf-boxkämpfer-jagen-viktor"
    assert caller(TCP, bearer(token), config(tokens=[["read", token]])).role == "read"


def test_no_tokens_accept_nothing() -> None:
    with pytest.raises(Problem):
        caller(TCP, bearer(""), config(tokens=[]))


@pytest.mark.parametrize("uid", [0, 1000])
def test_on_the_unix_socket_root_and_the_inits_user_have_control(uid: int) -> None:
    assert caller(Peer("unix", uid, "unix"), [], config(anonymous="health")).role == "control"


def test_on_the_unix_socket_another_user_is_anonymous_or_what_its_token_says() -> None:
    peer = Peer("unix", OTHERS_UID, "unix")
    assert caller(peer, [], config()) == Caller("metrics", "nothing", f"unix:uid={OTHERS_UID}")
    assert caller(peer, bearer(READ), config()) == Caller("read", "token", f"unix:uid={OTHERS_UID}")


def test_over_tcp_nobody_is_trusted_for_a_uid() -> None:
    assert caller(Peer("tcp", 0, "10.0.0.9"), [], config()).role == "metrics"


CERTIFICATES = [["metrics", "prometheus"], ["control", "anna"], ["read", "spiffe://prod/anna"]]


@pytest.mark.parametrize(
    ("names", "role", "name"),
    [
        (("prometheus",), "metrics", "prometheus"),
        (("x", "spiffe://prod/anna"), "read", "spiffe://prod/anna"),
        (("prometheus", "spiffe://prod/anna", "anna"), "control", "anna"),
    ],
)
def test_a_certificate_has_the_highest_role_that_one_of_its_names_has(
    names: tuple[str, ...], role: str, name: str
) -> None:
    found = caller(TCP._replace(names=names), [], config(certificates=CERTIFICATES))
    assert found == Caller(role, "certificate", f"cert:{name}@10.0.0.9")
    assert found.known
    assert not found.meant


def test_a_certificate_that_no_line_names_is_anybodys() -> None:
    for names in (("Anna",), ("anna ",), ("*",), ()):
        assert caller(TCP._replace(names=names), [], config(certificates=CERTIFICATES)).by == "nothing"


def test_a_token_that_is_shown_beside_a_certificate_counts_and_must_be_right() -> None:
    anna = TCP._replace(names=("anna",))
    assert caller(anna, bearer(READ), config(certificates=CERTIFICATES)) == Caller(
        "read", "token", "10.0.0.9"
    )
    with pytest.raises(Problem):
        caller(anna, bearer("wrong" * 5), config(certificates=CERTIFICATES))


def test_every_token_is_compared_and_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(one)
        return one == other

    monkeypatch.setattr("hmac.compare_digest", compare)
    for shown in (HEALTH, CONTROL):
        compared.clear()
        caller(TCP, bearer(shown), config())
        assert compared == [token.encode() for _, token in TOKENS]


@pytest.mark.parametrize("needed", ROLES)
@pytest.mark.parametrize("role", ROLES)
def test_each_role_includes_those_below_it(role: str, needed: str) -> None:
    enough = ROLES.index(role) >= ROLES.index(needed)
    for by, code in (("token", "forbidden"), ("certificate", "forbidden"), ("nothing", "unauthorized")):
        if enough:
            require(needed, Caller(role, by, "x"))
        else:
            with pytest.raises(Problem) as caught:
                require(needed, Caller(role, by, "x"))
            assert caught.value.code == code


# --- names -----------------------------------------------------------------------------------------

NAMES = Names("Box-7", ["initd.example.org", "Gate."])


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:9911",
        "LOCALHOST",
        "localhost.",
        "localhost:",
        "[::1]:",
        "127.0.0.1",
        "10.1.2.3:80",
        "[::1]",
        "[::1]:9911",
        "[fe80::1%25eth0]:9911",
        "box-7",
        "box-7:9911",
        "initd.example.org",
        "INITD.example.org:443",
        "gate:1",
        None,
    ],
)
def test_our_own_names_are_answered(host: str | None) -> None:
    NAMES.check(host, [])


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "box-7.evil.example",
        "xinitd.example.org",
        "127.1",
        "0x7f000001",
        "[::1",
        "[evil.example]",
        "[]",
        "::::",
        "localhost@evil.example",
        "evil.example#localhost",
        "localhost:evil",
        "localhost:80:80",
        "localhost:80.evil.example",
        "localhost:123456",
        "localhost:-1",
        "localhost:\xb2",
        "[::1].evil",
        "[::1]evil:80",
        "[::1]:evil",
        "[::1]:80:80",
        "[localhost]",
        "::1",
        "127.0.0.1%evil.example",
        "\x00",
        "ÿ",
    ],
)
def test_a_foreign_host_is_misdirected(host: str) -> None:
    with pytest.raises(Problem) as caught:
        NAMES.check(host, [])
    assert caught.value.code == "misdirected"


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("localhost:9911", "http://localhost:9911"),
        ("LOCALHOST:9911", "http://localhost:9911"),
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("127.0.0.1:443", "https://127.0.0.1"),
        ("[::1]:9911", "http://[::1]:9911"),
        ("10.0.0.1:9911", "https://initd.example.org"),
        ("initd.example.org", "https://initd.example.org:8443"),
        ("localhost:9911", "http://localhost:3000"),
        ("localhost:9911", "http://127.0.0.1:9911"),
        ("127.0.0.1:9911", "http://localhost:9911"),
        ("10.0.0.1:9911", "http://10.0.0.1:8080"),
        ("localhost", "http://localhost:"),
        (None, "http://localhost"),
    ],
)
def test_a_page_of_ours_may_ask(host: str, origin: str) -> None:
    NAMES.check(host, [origin])


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:9911", "http://10.0.0.1:9911"),
        ("localhost:9911", "http://127.0.0.1.evil.example"),
        ("localhost:9911", "https://evil.example"),
        ("localhost:9911", "null"),
        ("localhost:9911", ""),
        ("localhost:9911", "localhost:9911"),
        (None, "http://evil.example"),
        ("", "http://"),
        ("127.0.0.1:19915", "http://127.0.0.1:19915.evil.example"),
        ("127.0.0.1:19915", "http://127.0.0.1:19915, http://evil"),
        ("127.0.0.1:19915", "http://127.0.0.1:19915 http://evil"),
        ("localhost", "http://[::1].evil.example"),
        ("localhost", "http://localhost:80@evil.example"),
        ("localhost", "http://localhost/"),
        ("localhost", "chrome-extension://localhost"),
        ("localhost", "ftp://localhost"),
        ("localhost", "://localhost"),
    ],
)
def test_a_page_of_another_site_may_not(host: str | None, origin: str) -> None:
    with pytest.raises(Problem) as caught:
        NAMES.check(host, [origin])
    assert caught.value.code == "misdirected"


def test_with_what_a_browser_shows_by_itself_only_the_very_same_site_may_ask() -> None:
    NAMES.check("localhost:9911", ["https://localhost:9911"], strict=True)
    NAMES.check("gate", [], strict=True)
    for origin in (
        "http://localhost:9911",
        "https://localhost:3000",
        "https://gate",
        "https://127.0.0.1:9911",
    ):
        with pytest.raises(Problem):
            NAMES.check("localhost:9911", [origin], strict=True)
    for host in (None, "evil.example"):
        with pytest.raises(Problem):
            NAMES.check(host, [f"https://{host or ''}"], strict=True)


@pytest.mark.parametrize(
    ("name", "yes"), [("1.2.3.4", True), ("::1", True), ("1.2.3", False), ("a", False), ("", False)]
)
def test_only_whole_addresses_are_addresses(name: str, yes: bool) -> None:
    assert is_address(name) is yes


def test_of_two_origins_none_may_be_foreign() -> None:
    with pytest.raises(Problem):
        NAMES.check("localhost", ["http://localhost", "http://evil.example"])
