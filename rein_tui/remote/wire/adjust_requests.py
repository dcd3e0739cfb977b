"""Requests that change a session while it lives, and the one for the files around it."""

from rein_tui.harness.protocol.base import Word
from rein_tui.harness.protocol.events import SourceKind


class AddFolder(Word, frozen=True, kw_only=True, tag="add_folder"):
    """Let the session work in a further folder of its machine; owner only. Reply: null."""

    session: str
    folder: str


class ChangeFolder(Word, frozen=True, kw_only=True, tag="change_folder"):
    """Let commands begin in another of the session's folders; owner only. Reply: its path."""

    session: str
    folder: str


class AskAside(Word, frozen=True, kw_only=True, tag="ask_aside"):
    """Ask the model something beside the conversation; owner only. Reply: AsideAnswer."""

    session: str
    question: str


class StopWork(Word, frozen=True, kw_only=True, tag="stop_work"):
    """End a subagent (by the id of its call) or background work (by its own); owner only. Reply: whether it ran."""

    session: str
    work: str


class SwitchSource(Word, frozen=True, kw_only=True, tag="switch_source"):
    """Take a source out of the model's window, or put it back; owner only. Reply: null."""

    session: str
    kind: SourceKind
    name: str
    on: bool


class SetThinking(Word, frozen=True, kw_only=True, tag="set_thinking"):
    """How hard the model tries, and whether it thinks first; null stays as it is; owner only. Reply: null."""

    session: str
    effort: str | None = None
    thinking: bool | None = None


class Clear(Word, frozen=True, kw_only=True, tag="clear"):
    """A new session in the place of this one; owner only. Reply: Attached; then `told` frames."""

    session: str
    key: str = ""


class ListFiles(Word, frozen=True, kw_only=True, tag="files"):
    """Relative paths of the files in the session's folder, ignored ones left out. Reply: list of strings."""

    session: str
