"""What the doctor finds."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from rein_tui.harness.protocol.events import Notice

Level: TypeAlias = Literal["ok", "note", "bad"]
"""`ok`: as it should be; `note`: worth knowing, all works; `bad`: something will not work until it is mended."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence about one thing; `todo` says what to do, `where` is a file, with its line where there is one."""

    area: str
    level: Level
    text: str
    todo: str = ""
    where: str = ""

    def record(self) -> dict[str, Any]:
        """As `--json` tells it."""
        return asdict(self)


def ok(area: str, text: str, where: str = "") -> Finding:
    """All is well."""
    return Finding(area, "ok", text, where=where)


def note(area: str, text: str, todo: str = "", where: str = "") -> Finding:
    """Worth knowing."""
    return Finding(area, "note", text, todo, where)


def bad(area: str, text: str, todo: str, where: str = "") -> Finding:
    """Something to mend."""
    return Finding(area, "bad", text, todo, where)


def of_notice(area: str, notice: Notice) -> Finding:
    """What a reader of files told, as a finding."""
    if notice.level == "info":
        return note(area, notice.text, notice.hint, notice.where)
    return bad(area, notice.text, notice.hint or "correct the entry", notice.where)
