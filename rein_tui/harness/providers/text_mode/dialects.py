"""The families: what opens a call of each, and who reads it. Specific marks come before plain JSON."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

from . import plain, tags, tokens
from .cursor import Cursor
from .plain import Scene
from .shapes import Found

Marked: TypeAlias = Callable[[Cursor, str], Found | None]
Plain: TypeAlias = Callable[[Cursor, str, Scene], Found | None]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way to write a call. Exactly one of `marked` and `plain` reads it, from behind the opener.

    A plain one opens only at the start of a line.
    """

    name: str
    openers: tuple[str, ...]
    marked: Marked | None = None
    plain: Plain | None = None

    def read(self, cursor: Cursor, opener: str, scene: Scene) -> Found | None:
        """What stands here, or None when it is prose. Raises NeedMore."""
        found = self.marked(cursor, opener) if self.marked else None
        if self.plain is not None:
            found = self.plain(cursor, opener, scene)
        return None if found is None else replace(found, dialect=found.dialect or self.name)


_DSML = "｜DSML｜"
_MARKS = ("", "ant" + "ml:", _DSML)
DIALECTS: tuple[Dialect, ...] = (
    Dialect(
        "hermes",
        (
            *("<tool_call>", "<toolcall>", "<tool_calls>", "<function_call>", "[tool_call]"),
            *("<TOOL_CALL>", "<tool_use>"),
        ),
        tags.hermes,
    ),
    Dialect("hermes", ("<tool_call ", "<function_call ", "<tool_use "), tags.attributed),
    Dialect("tools tag", ("<tools>",), tags.hermes),
    Dialect("qwen3-coder", ("<function=",), tags.parameters),
    Dialect(
        "invoke",
        (*(f"<{mark}invoke name=" for mark in _MARKS), "<function name=", "<tool_use name="),
        tags.invoke,
    ),
    Dialect(
        "invoke",
        (
            *(f"<{mark}{tag}>" for mark in _MARKS for tag in ("function_calls", "tool_uses")),
            f"<{_DSML}tool_calls>",
            "<minimax:tool_call>",
        ),
        tags.wrapper,
    ),
    Dialect("mistral", ("[TOOL_CALLS]",), tokens.mistral),
    Dialect(
        "deepseek",
        (
            "<｜tool▁calls▁begin｜>",
            "<｜tool▁call▁begin｜>",
            "<|tool▁calls▁begin|>",
            "<|tool_calls_begin|>",
            "<｜tool_calls_begin｜>",
        ),
        tokens.deepseek,
    ),
    Dialect(
        "kimi",
        ("<|tool_calls_section_begin|>", "<|tool_call_section_begin|>", "<|tool_call_begin|>"),
        tokens.kimi,
    ),
    Dialect(
        "harmony",
        ("<|channel|>", "<|start|>", "commentary to=functions.", "to=functions."),
        tokens.harmony,
    ),
    Dialect("llama", ("<|python_tag|>", "<|python_start|>"), tokens.llama),
    Dialect("functionary", ("<|recipient|>",), tokens.recipient),
    Dialect("granite", ("<|tool_call|>",), tokens.enclosed),
    Dialect("cohere", ("<|START_ACTION|>",), tokens.enclosed),
    Dialect("lm studio", ("[TOOL_REQUEST]",), tokens.enclosed),
    Dialect("functools", ("functools[",), tokens.enclosed),
    Dialect(
        "",
        (
            *tags.ENDS,
            "<|return|>",
            "<|call|>",
            "<|from|>assistant",
            "</tool_call>",
            "</tool_calls>",
            *(f"</{mark}{tag}>" for mark in _MARKS for tag in ("function_calls", "tool_uses")),
            f"</{_DSML}tool_calls>",
            "</minimax:tool_call>",
            *tokens.LOST,
        ),
        tags.stray,
    ),
    Dialect("fence", ("```",), plain=plain.fence),
    Dialect("bare json", ("{", "["), plain=plain.bare),
    Dialect("functionary", (">>>",), plain=plain.prompted),
    Dialect(
        "announced",
        ("Calling tool:", "Calling function:", "Tool call:", "Call tool:", "Calling tool ", "TOOL_CALL:"),
        plain=plain.announced,
    ),
    Dialect("react", ("Action:", "✿FUNCTION✿:"), plain=plain.react),
)


_TAGS = {
    "Bash": ("bash", "execute_command", "run_command", "run_terminal_cmd"),
    "Read": ("read", "read_file", "view_file"),
    "Write": ("write", "write_to_file", "write_file", "create_file"),
    "Edit": ("edit", "edit_file", "replace_in_file"),
    "Grep": ("grep", "search_files", "grep_search"),
    "Glob": ("glob",),
}
"""Tags in which models that learnt from other assistants write calls of the same tools."""


def _tags_of(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield from (name, *_TAGS.get(name, ()))


class Openers:
    """All openers for the tools that were sent: where the next one stands, and where one may be beginning."""

    def __init__(self, names: Iterable[str]) -> None:
        own = tuple(names)
        dialects = [
            *DIALECTS,
            Dialect("own tag", tuple(f"<{name}>" for name in _tags_of(own)), tags.own_tag),
            Dialect(
                "pythonic", tuple(f"{name}{call}(" for name in own for call in ("", ".call")), plain=plain.function
            ),
        ]
        self._of = {opener: dialect for dialect in reversed(dialects) for opener in dialect.openers}
        longest_first = sorted(self._of, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)))
        self._beginnings = {opener[:length] for opener in self._of for length in range(1, len(opener))}
        self._longest = len(longest_first[0])
        self._starts = re.compile(f"[{re.escape(''.join({opener[0] for opener in self._of}))}]")

    def __getitem__(self, opener: str) -> Dialect:
        return self._of[opener]

    def next(self, text: str, at: int) -> tuple[int, str]:
        """Place and opener of the next one; -1 when there is none."""
        found = self._pattern.search(text, at)
        return (found.start(), found[0]) if found else (-1, "")

    def unsure(self, text: str) -> int:
        """How many characters at the end of the text may be the beginning of an opener."""
        first = self._starts.search(text, max(0, len(text) - self._longest + 1))
        if first is None:
            return 0
        for length in range(len(text) - first.start(), 0, -1):
            if text[-length:] in self._beginnings:
                return length
        return 0

    def may_grow(self, opener: str) -> bool:
        """Whether a longer opener begins with this one."""
        return opener in self._beginnings
