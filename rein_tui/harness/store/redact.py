"""Taking keys out of text before it is stored or handed on."""

import re
from collections.abc import Iterable

import msgspec

MARK = "[redacted]"

# Shorter values would tear ordinary words apart.
_SHORTEST = 8

_OWN_KEYS = re.compile(rb"sk-ant-[A-Za-z0-9_-]{16,}")

_KNOWN_KEYS = re.compile(
    r"""
      sk-ant-[A-Za-z0-9_-]{16,}                     # Anthropic
    | sk-(?:proj-|or-v1-)?[A-Za-z0-9_-]{20,}        # OpenAI and those who copy its form
    | gh[pousr]_[A-Za-z0-9]{20,} | github_pat_[A-Za-z0-9_]{20,}
    | glpat-[A-Za-z0-9_-]{16,}
    | xox[abprs]-[A-Za-z0-9-]{10,}
    | (?:AKIA|ASIA)[A-Z0-9]{16}
    | AIza[A-Za-z0-9_-]{30,}
    | [rs]k_(?:live|test)_[A-Za-z0-9]{16,} | whsec_[A-Za-z0-9]{16,}
    | SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}
    | hf_[A-Za-z0-9]{20,} | npm_[A-Za-z0-9]{20,} | pypi-[A-Za-z0-9_-]{40,}
    | eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}   # JSON web token
    | -----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY-----[\s\S]*?(?:-----END[ ][A-Z ]*PRIVATE[ ]KEY-----|\Z)
    """,
    re.VERBOSE,
)
_ASSIGNED = re.compile(
    r"""(?ix) \b ([A-Z0-9_.-]*
        (?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|API[_-]?KEY|PRIVATE[_-]?KEY|CREDENTIALS?)
        [A-Z0-9_]* \\?["']?\s*[=:]\s*)
        (?: (\\?["']) (?!\[redacted\]) [^"'\\\n]{6,} | (\\?["']?) [^\s"'\\,;}{]{6,} )"""
)
_LOGIN = re.compile(r"""(?<![\w-])((?:-u|--user)[\s=]+["']?[^\s:"'/]+:)[^\s"']+""")
_URL_LOGIN = re.compile(r"(?<=://)[^\s/@:]+:[^\s/@]+(?=@)")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{12,}")


class StorageRedactor:
    """Takes our own keys out of encoded JSON: these exact values, and whatever looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._needles: list[bytes] = []
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Take these out too from now on."""
        fresh = {msgspec.json.encode(secret)[1:-1] for secret in secrets if len(secret) >= _SHORTEST}
        self._needles = sorted({*self._needles, *fresh}, key=len, reverse=True)

    def __call__(self, body: bytes) -> bytes:
        """The same without keys."""
        mark = MARK.encode()
        for needle in self._needles:
            if needle in body:
                body = body.replace(needle, mark)
        if b"sk-ant-" in body:
            body = _OWN_KEYS.sub(mark, body)
        return body


def redact_text(text: str, secrets: Iterable[str] = ()) -> str:
    """Text for other people's eyes: exact values, known key forms, assignments to telling names, logins in URLs."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            text = text.replace(secret, MARK)
    text = _KNOWN_KEYS.sub(MARK, text)
    text = _ASSIGNED.sub(lambda found: f"{found[1]}{found[2] or found[3] or ''}{MARK}", text)
    text = _LOGIN.sub(rf"\1{MARK}", text)
    text = _BEARER.sub(rf"\1 {MARK}", text)
    return _URL_LOGIN.sub(MARK, text)
