"""A bug bundle: one session and what is needed to understand it, redacted, previewed, replayable elsewhere."""

import io
import json
import platform
import sqlite3
import sys
import zipfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec

from ..protocol.base import JsonObject, Word
from ..protocol.errors import StoreError
from ..protocol.events import Fact, Notice
from ..protocol.messages import ImageBlock
from ..protocol.ports import SessionInfo
from .codec import DAMAGED, decode_fact, encode_fact, tag_of
from .files import write_private
from .redact import MARK, redact_text

_ABOUT, _STORY = "about.json", "facts.jsonl"


class Bundle(Word, frozen=True, kw_only=True):
    """Files by name, and how many places were redacted in them."""

    files: dict[str, bytes]
    redactions: int

    def preview(self) -> str:
        """What is in it, before it is written: names and sizes, what it says of this machine, and its facts by kind."""
        lines = [f"{name}  {len(data):,} bytes" for name, data in self.files.items()]
        kinds = Counter(tag_of(decode_fact(line)) for line in self.files[_STORY].splitlines())
        lines.append(", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in kinds.most_common()))
        lines.append(self.files[_ABOUT].decode())
        lines.append(
            f"{self.redactions} places were redacted. Read it before you send it: no machine knows all secrets."
        )
        return "\n".join(lines)

    def write(self, path: Path) -> None:
        """As a zip file that only its owner may read. Raises StoreError."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in self.files.items():
                archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
        try:
            write_private(path, packed.getvalue())
        except OSError as error:
            raise StoreError(error.strerror or str(error), where=str(path)) from error


def make_bundle(
    info: SessionInfo, facts: Sequence[Fact], *, version: str, home: str, secrets: Iterable[str] = ()
) -> Bundle:
    """The bundle of one session. The home folder becomes `~`; images are left out."""
    hide = _Hider(home, tuple(secrets))
    story = b"".join(encode_fact(hide.fact(fact)) + b"\n" for fact in facts)
    about: JsonObject = {
        "rein-tui": version,
        "python": sys.version.split()[0],
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "sqlite": sqlite3.sqlite_version,
        "session": hide.value(msgspec.to_builtins(info)),
        "facts": len(facts),
    }
    files = {_ABOUT: json.dumps(about, indent=2, ensure_ascii=False).encode(), _STORY: story}
    return Bundle(files=files, redactions=hide.count)


def read_bundle(path: Path) -> list[Fact]:
    """The facts of a bundle, or of a file of facts as `sessions export --format jsonl` writes it. Raises StoreError."""
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return _facts(io.BytesIO(archive.read(_STORY)), path)
        with path.open("rb") as stream:
            return _facts(stream, path)
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise StoreError(f"This is no bundle and no file of facts: {error}", where=str(path)) from error


def _facts(lines: Iterable[bytes], path: Path) -> list[Fact]:
    facts: list[Fact] = []
    for number, line in enumerate((line for line in lines if line.strip()), 1):
        fact = decode_fact(line, number)
        if number == 1 and isinstance(fact, Notice) and fact.code == DAMAGED:
            break
        facts.append(fact)
    if not facts:
        raise StoreError("This is no bundle and no file of facts.", where=str(path))
    return facts


class _Hider:
    """Redacts every string of a value and counts."""

    def __init__(self, home: str, secrets: tuple[str, ...]) -> None:
        self._home, self._secrets = home.rstrip("/\\"), secrets
        self.count = 0

    def fact(self, fact: Fact) -> Fact:
        plain: JsonObject = self.value(msgspec.to_builtins(fact))
        return msgspec.convert(plain, type(fact))

    def value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict):
            items = cast("dict[str, Any]", value)
            if items.get("type") == "image" and "data" in items:
                return msgspec.to_builtins(ImageBlock(media_type="image/png", data="", name="left out"))
            return {self._text(key): self.value(each) for key, each in items.items()}
        if isinstance(value, list | tuple):
            return [self.value(each) for each in cast("list[Any]", value)]
        return value

    def _text(self, text: str) -> str:
        redacted = redact_text(text, self._secrets)
        self.count += redacted.count(MARK) - text.count(MARK)
        return redacted.replace(self._home, "~") if len(self._home) > 1 else redacted
