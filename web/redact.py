"""Secrets in command lines, hidden before anybody sees them. Pure.

Law of this file: text in, text out; any text, in time that grows with its length and no faster, and what has
been redacted stays as it is. Too much hidden is a nuisance, too little a leak: what may be either is hidden.
A program's name, the first word of ``argv[0]``, always stays.

Names of secrets are those that Datadog's process agent, Sentry's scrubber and Yelp's detect-secrets look
for; shapes of tokens are those of gitleaks and detect-secrets. A secret that has neither a name nor a shape
(the third word of ``add_user bob hunter2``) is not found by them, nor here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MARK = "***"

# --- what a secret is called -------------------------------------------------------------------------

_ANYWHERE = re.compile(
    "password|passwd|passphrase|passcode|secret|credential|authorization|masterauth|mysqlpwd|api_?key"
    "|(?:auth|api|access|bearer|refresh|session)_?tokens"
)
_KEYS = re.compile("(?:access|account|auth|client|deploy|encryption|license|master|private|signing)_?key")
_LAST = re.compile("pw|psk|jwt|(?:set)?cookie|sig|signature|bearer|(?!(?:by|com|multi)pass).*pass|.*token")
# Of what is called a secret, all this is about it and not it: --password-file, TOKEN_TTL, --max-token.
_ABOUT = re.compile(
    "age|agent|alg|algorithm|arn|audience|auth|authentication|backend|bits|bucket|budget|cache|change|check"
    "|claims?|class|counts?|days|dir|directory|domain|duration|enabled|encryption|endpoint|env|expiration"
    "|expires?|expiry|fd|field|files?|format|headers?|helper|hosts?|hours|httponly|ids?|interval|issuer"
    "|iterations|jar|len|length|lifetime|limits?|manager|method|minutes|mode|mount|names?|namespace|optional"
    "|paths?|policy|port|prompt|provider|rate|ref|required|reset|rotation|rounds|samesite|scopes?|seconds"
    "|secure|server|service|size|stdin|strength|timeout|ttl|type|uri|url|validation|validator|version|volume"
)
# What these have, --auth or BASIC_AUTH, is a secret where it is user:password.
_LOGIN = re.compile(r"(?i)(?!\W*no[\W_])(?:.*[\W_])?(?:basic)?auth")
_PAIR = re.compile(r"(?s)[^\s:/]*:(?!//).+")
_NOT_A = frozenset(["no", "max", "min", "num"])
_NO_VALUES = frozenset(["true", "false", "yes", "no", "on", "off", "none", "null"])
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]++")
_FILED = re.compile("^(?!.*secret).*(?:private|signing|encryption|deploy|license|master)[_.-]?key$|^pwd$")
_PATH = re.compile(r"(?:~|\.{1,2})?/[\w.@/-]+")


def _is_secret(key: str) -> bool:
    """Whether ``key`` (``--db-password``, ``API_TOKEN_2``, ``accountKey``) names a secret."""
    words = [word.lower() for word in _WORDS.findall(key)]
    if not words:
        return False
    whole, last = "_".join(words), words[-1]
    if whole.endswith("secret_id") or _LOGIN.fullmatch(key):  # the first: the password of Vault's AppRole
        return True
    if _ABOUT.fullmatch(last) or words[0] in _NOT_A:
        return False
    if _ANYWHERE.search(whole) or _KEYS.search(whole) or _LAST.fullmatch(last):
        return True
    return last == "pwd" and len(words) > 1  # alone it is where a shell is


def _is_value(key: str, value: str) -> bool:
    """Whether such a key may have this for a secret: no switch, no level, and no file that a key is in."""
    bare = value.strip("\"'")
    if len(bare) < 2 or bare.lower() in _NO_VALUES or bare.rstrip(",)]}") == MARK:
        return False
    if _LOGIN.fullmatch(key):
        return _PAIR.fullmatch(bare) is not None
    return not (_PATH.fullmatch(bare) and _FILED.search(key.lower()))


# --- a key and its value within a text ---------------------------------------------------------------

# A key with what follows it: = or : (in JSON after its quote), or the space after an option. Each begins
# where a run of such characters does, and takes it whole, so that a text is read once.
_KEY = re.compile(r"(?<![\w.-])([\w.-]++)(?:(\\?[\"']?\s{0,4}(?::=|[=:])\s{0,4})|(\s++)|\Z)")
_QUOTED = r"""(?:\\?"(?:[^"\\]++|\\.)*+"?|'[^']*+'?(?:\\''[^']*+'?)*+)"""
_VALUE = rf"(?:{_QUOTED}(?=[\s,;&}}\])]|\Z)|(?:[^\s&;\"']++|{_QUOTED})++)"
_VALUES = re.compile(rf"(?s)(?:(?i:bearer|basic|digest|negotiate|token|apikey)\s+)?{_VALUE}")
_QUOTE = re.compile(r"""\\?["'](?=.)""")
_OPTION = re.compile(r"--[A-Za-z]|-[A-Za-z](?:\s|\Z)")
_SHELL = re.compile("-[a-z]*c")  # sh -c, bash -ec: the next word is a script


def _named(text: str) -> tuple[str, str | None]:
    """Without the values of secret keys; and the option at its end that still waits for its own."""
    parts: list[str] = []
    done = 0
    for match in _KEY.finditer(text):
        key, mark, space = match.groups()
        named = _introduces(key, mark) or _is_field(text, match)
        if match.start() < done or not named or text.startswith(f"{MARK}@", match.end()):
            continue  # the last: what was an URL's
        if not mark and not space:
            return "".join([*parts, text[done:]]), key
        value = _value(text, match)
        if _is_value(key, value):
            parts += text[done : match.end()], _marked(value)
            done = match.end() + len(value)
    return "".join([*parts, text[done:]]), None


def _introduces(key: str, mark: str | None) -> bool:
    """Whether what follows is a secret: a space introduces one only behind an option, or as in a header."""
    return _is_secret(key) and (mark is not None or key.startswith("-") or key.lower() == "bearer")


def _is_field(text: str, match: re.Match[str]) -> bool:
    """Whether it is ``Pwd=`` behind a ``key=value;``, as in a connection string."""
    begin, mark = match.start(), match[2] or ""
    end = text.rfind(";", max(0, begin - 4), begin)
    if match[1].lower() != "pwd" or mark.strip() != "=" or end < 0 or text[end + 1 : begin].strip():
        return False
    return text.find("=", text.rfind(";", 0, end) + 1, end) >= 0


def _marked(value: str) -> str:
    """The mark, between the quotes that were there."""
    quote = _QUOTE.match(value)
    return f"{quote[0]}{MARK}{quote[0]}" if quote and value.endswith(quote[0]) else MARK


def _value(text: str, match: re.Match[str]) -> str:
    """What stands behind the key of ``match``."""
    begin, mark = match.end(), match[2]
    quote = text[match.start() - 1 : match.start()]
    if mark and quote in ('"', "'") and not set(mark) & {'"', "'"}:  # 'Authorization: Bearer x'
        end = text.find(quote, begin)
        return text[begin:] if end < 0 else text[begin:end]
    if not mark and _OPTION.match(text, begin):
        return ""  # this one had none
    found = _VALUES.match(text, begin)
    return found[0] if found else ""


# --- a secret by its own shape -----------------------------------------------------------------------

_BLOCK = r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]{0,40}-----|\Z)"
_JWT = r"eyJ[\w-]{8,}+\.[\w-]*+(?:\.[\w-]*+)*+"  # a JSON web token
_KNOWN = (
    r"(?:"
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}"  # AWS
    r"|(?:gh[pousr]|github_pat|npm|hf|glsa|glc|dckr_pat|dckr_oat|rubygems|shp(?:at|ca|pa|ss)|lin_api)_\w{16,}"
    r"|gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat)-[\w-]{16,}"
    r"|xox[abeoprs]-[\w-]{10,}|xapp-[\w-]{10,}"  # Slack
    r"|[sr]k_(?:live|test|prod)_\w{10,}|whsec_\w{16,}"  # Stripe
    r"|sk-[\w-]{16,}|pypi-[\w-]{16,}|tskey-[\w-]{16,}|dop_v1_\w{16,}|AGE-SECRET-KEY-1\w{16,}"
    r"|AIza[\w-]{30,}|ya29\.[\w-]{16,}|hv[bs]\.[\w-]{16,}|SG\.[\w-]{16,}\.[\w-]{16,}|NRAK-\w{16,}"
    r")"
)
# One that begins as a word does, and whatever hangs on to it without a gap.
_SHAPES = re.compile(
    rf"(?s)(?:{_BLOCK}|(?<![\w-]){_JWT}|(?<![A-Za-z0-9]){_KNOWN})(?:{_BLOCK}|{_JWT}|{_KNOWN})*+"
)
# user:password@ or a long token@ in an URL; a port, or a variable for one, is no password.
_URL = re.compile(
    r"(?<=://)([^\s/?#:@'\"\[]*+)(?:(@)|:(?!(?:\d*|\$\w+|\$\{\w+\})(?:[/?#\s'\"]|\Z))([^\s'\"]*+))"
)
_DSN = re.compile(r"(?<![^\s'\"])([^\s'\":]*+):([^\s'\"]*?)@(?=(?:tcp|unix)\()")  # Go's u:p@tcp(host)


def _shaped(text: str) -> str:
    return _DSN.sub(rf"\1:{MARK}@", _URL.sub(_user, _SHAPES.sub(MARK, text)))


def _user(match: re.Match[str]) -> str:
    user, alone, rest = match.groups()
    if alone:
        return (MARK if len(user) >= 20 else user) + alone
    at = rest.rfind("@")
    if at < 0 and not rest.endswith("…"):  # of a word that was cut the host may be missing
        return match[0]
    return f"{user}:{MARK}{rest[at:] if at >= 0 else ''}"


# --- options that only their program knows -----------------------------------------------------------

_BEGIN = r"(?:^|(?<=[\s'\"/(;|&`]))"
_COOKIE = r"(?=\\?[\"']?[^\s=;\"']++=)"  # name=value; what has no = is a file of them
_PROGRAMS = tuple(
    (
        re.compile(rf"{_BEGIN}(?:{program})(?=\s|\Z)"),
        re.compile(rf"(?s){_BEGIN}({option}){value}{_VALUE}"),
        re.compile(rf"(?:{option})\Z"),
        re.compile(value or "(?s)."),
    )
    for program, option, value in (
        (r"(?:mysql|mariadb|7z)[\w-]*+", r"-p(?=\S)", ""),  # mysql -p asks, mysql -pSECRET does not
        (r"sshpass|mongo\w*+", r"-p\s*", ""),
        (r"redis-cli", r"-a\s*", ""),
        (r"ldap\w++", r"-w\s*", ""),
        (r"sqlcmd|zip", r"-P\s*", ""),
        (r"curl", r"-[uU]\s*|--(?:proxy-)?user(?:[\s=]+|\Z)", ""),
        (r"curl", r"-b\s*", _COOKIE),
    )
)


class _Programs:
    """Those that a command line has named so far."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def take(self, text: str) -> tuple[str, re.Pattern[str] | None]:
        """Without what follows their options; and what the next word is where one of them waits for it."""
        waits = None
        for number, (program, option, bare, value) in enumerate(_PROGRAMS):
            named = program.search(text)
            if named or number in self._seen:
                begin = 0 if number in self._seen else named.end() if named else 0
                if number in self._seen and bare.match(text):
                    waits = value
                text = text[:begin] + option.sub(rf"\g<1>{MARK}", text[begin:])
                self._seen.add(number)
        return text, waits


# --- a command line ----------------------------------------------------------------------------------


def redact(words: Sequence[str]) -> list[str]:
    """The command line with its secrets as ``***``."""
    programs = _Programs()
    shown: list[str] = []
    option, waits = None, None  # what the word before asks this one for
    for number, word in enumerate(words):
        name, rest = _head(word) if number == 0 else ("", word)
        taken = option is not None and not _OPTION.match(word) and _is_value(option, word)
        if taken or (waits is not None and waits.match(word)):
            rest, option, waits = MARK, None, None
        else:
            script = bool(shown) and _SHELL.fullmatch(words[number - 1]) is not None
            rest = _shaped(rest)
            rest, option = _named(rest) if script or not number else _word(rest)
            rest, waits = programs.take(name + rest)
            name = ""
        shown.append(name + rest)
    return shown


def _head(word: str) -> tuple[str, str]:
    """The name of the program, and what a daemon may have written behind it."""
    name = word.split(maxsplit=1)[0] if word.strip() else word
    end = word.find(name) + len(name)
    return word[:end], word[end:]


def _word(word: str) -> tuple[str, str | None]:
    """An argument: where it begins with a key, all the rest is the value, spaces too."""
    key = _KEY.match(word)
    if key and key[2] and _is_secret(key[1]) and _is_value(key[1], word[key.end() :]):
        return word[: key.end()] + MARK, None
    return _named(word)
