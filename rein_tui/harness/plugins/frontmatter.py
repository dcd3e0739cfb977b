"""The block of keys at the head of a command, skill, agent or style file, read as people really write it.

Most published agents are not valid YAML (an unquoted description with a colon in it). So: YAML first; else line by
line, where a line that begins with no known key goes on with the value before it.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from ..protocol.base import JsonObject
from ..protocol.decisions import Layer, Source
from ..protocol.events import Notice
from ..settings.shapes import is_list, is_object
from .yaml_block import NotYaml, UnsafeYaml, YamlBlock, read_yaml

KNOWN = frozenset(
    """name description when_to_use when-to-use argument-hint arguments disable-model-invocation user-invocable
    allowed-tools disallowed-tools model effort context agent background hooks paths shell metadata license
    compatibility version tools disallowedTools permissionMode maxTurns isolation color initialPrompt memory skills
    mcpServers keep-coding-instructions force-for-plugin positional-base display-name default-enabled category tags
    allowed_tools mcp-servers personas hide-from-slash-command-tool globs alwaysApply author title type""".split()
)

_OPENING = re.compile(r"---[ \t]*\r?(?:\n|$)")
_CLOSING = re.compile(r"^---[ \t]*\r?$", re.MULTILINE)
_KEY = re.compile(r"([A-Za-z][\w-]*)[ \t]*:(?:[ \t]+(.*)|$)")
_TRUE = frozenset({"true", "yes", "on", "1", "y"})
_FALSE = frozenset({"false", "no", "off", "0", "n"})

State = Literal["absent", "read", "guessed", "unreadable"]


@dataclass(frozen=True)
class Frontmatter:
    """The keys of a file's head.

    `state`: absent (there is none), read, guessed (line by line), unreadable (nothing of it counts). `lines` are
    1-based in the file; `body_line` is where the body begins.
    """

    path: str
    layer: Layer = "builtin"
    values: JsonObject = field(default_factory=dict[str, Any])
    lines: Mapping[str, int] = field(default_factory=dict[str, int])
    body: str = ""
    body_line: int = 1
    state: State = "absent"
    notices: tuple[Notice, ...] = ()

    def source(self, *keys: str) -> Source:
        """Where the first of these keys that is there is written; the file's first line else."""
        line = next((self.lines[key] for key in keys if key in self.lines), 1)
        return Source(layer=self.layer, path=self.path, line=line)

    def text(self, *keys: str) -> str:
        """The first of these keys that is there, as text whatever it is."""
        return text_of(self._first(keys))

    def flag(self, *keys: str, default: bool = False) -> bool:
        """The same as yes or no; what is neither counts as the default."""
        word = self.text(*keys).lower()
        return True if word in _TRUE else False if word in _FALSE else default

    def word(self, key: str, known: Sequence[str], otherwise: str) -> tuple[str, tuple[Notice, ...]]:
        """One of the known words, in any case of its letters; empty for anything else, which is told."""
        said = self.text(key)
        word = next((each for each in known if each.lower() == said.lower()), "")
        if word or not said:
            return word, ()
        text = f"{key} {said!r} is none of {', '.join(known)}; {otherwise}"
        return "", (Notice(text=text, level="warning", where=str(self.source(key)), code="bad_key"),)

    def doubts(self, *keys: str) -> tuple[Notice, ...]:
        """Those of these keys that should say yes or no and say neither."""
        return tuple(
            Notice(
                text=f"{key} {self.text(key)!r} is neither true nor false; as if it were not there",
                level="warning",
                where=str(self.source(key)),
                code="bad_key",
            )
            for key in keys
            if self.text(key) and self.text(key).lower() not in _TRUE | _FALSE
        )

    def items(self, *keys: str) -> tuple[str, ...] | None:
        """The same as a list; None when no key is there."""
        value = self._first(keys)
        return None if value is None else list_of(value)

    def number(self, *keys: str) -> int:
        """The same as a whole number; 0 for anything else."""
        word = self.text(*keys)
        return int(word) if word.isdecimal() else 0

    def mapping(self, key: str) -> JsonObject:
        """The same as an object; empty for anything else."""
        value = self.values.get(key)
        return value if is_object(value) else {}

    def _first(self, keys: tuple[str, ...]) -> Any:
        return next((self.values[key] for key in keys if key in self.values), None)

    @cached_property
    def first_paragraph(self) -> str:
        """What the body begins with, for files without a description."""
        for paragraph in re.split(r"\n\s*\n", self.body.strip()):
            words = " ".join(line.lstrip("# ").strip() for line in paragraph.splitlines())
            if words:
                return words
        return ""


def read_frontmatter(text: str, path: str, layer: Layer = "builtin") -> Frontmatter:
    """Take a file's text apart. Never raises: what is wrong stands in `notices`."""
    text = text.removeprefix("\ufeff")
    opening = _OPENING.match(text)
    closing = _CLOSING.search(text, opening.end()) if opening else None
    if opening is not None and closing is None:
        said = "the frontmatter has no closing ---; all of it counts as text"
        notice = Notice(text=said, level="warning", where=f"{path}:1", code="frontmatter_open")
        return Frontmatter(path, layer, body=text, notices=(notice,))
    if opening is None or closing is None:
        return Frontmatter(path, layer, body=text)
    block = text[opening.end() : closing.start()].replace("\r\n", "\n")
    body = text[closing.end() :].removeprefix("\n")
    body_line = text.count("\n", 0, closing.end()) + 2
    read, state, notices = _read_block(block, path)
    lines = {key: line + 1 for key, line in read.lines.items()}
    return Frontmatter(path, layer, read.values, lines, body, body_line, state, notices)


def _read_block(block: str, path: str) -> tuple[YamlBlock, State, tuple[Notice, ...]]:
    try:
        return read_yaml(block), "read", ()
    except UnsafeYaml as problem:
        text = f"the frontmatter {problem.reason}; nothing of it counts"
        return YamlBlock(), "unreadable", (_notice(text, path, problem, "warning", "frontmatter_ignored"),)
    except NotYaml as problem:
        guessed = _line_by_line(block)
        text = f"the frontmatter is not valid YAML ({problem.reason}); read line by line"
        notice = _notice(text, path, problem, "info", "frontmatter_lenient")
        return guessed, "guessed" if guessed.values else "unreadable", (notice,)


def _notice(text: str, path: str, problem: NotYaml, level: Literal["info", "warning"], code: str) -> Notice:
    return Notice(text=text, level=level, where=f"{path}:{problem.line + 1}", code=code)


def _line_by_line(block: str) -> YamlBlock:
    """`key: rest of line`; the first of two equal keys counts."""
    found = YamlBlock()
    parts: list[str] = []
    for number, line in enumerate(block.split("\n"), 1):
        match = _KEY.fullmatch(line.rstrip("\r"))
        if match is not None and (match[1] in KNOWN or not found.values):
            parts = [match[2] or ""]
            if match[1] not in found.values:
                found.values[match[1]] = parts
                found.lines[match[1]] = number
        else:
            parts.append(line)
    found.values = {key: _scalar(lines) for key, lines in found.values.items()}
    return found


def _scalar(lines: list[str]) -> Any:
    """The lines of one value: a block list, a block text, or words over several lines."""
    first, rest = lines[0].strip(), [line for line in lines[1:] if line.strip()]
    if not first and rest and all(line.lstrip().startswith("- ") for line in rest):
        return [_unquoted(line.lstrip()[2:].strip()) for line in rest]
    if re.fullmatch(r"[|>][+-]?\d?", first):
        first = ""
    return _unquoted("\n".join(part for part in (first, *(line.strip() for line in lines[1:])) if part).strip())


def _unquoted(text: str) -> str:
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "'\""
    return text[1:-1] if quoted and text[0] not in text[1:-1] else text


# --- coercions --------------------------------------------------------------------------------------------


def text_of(value: Any) -> str:
    """Whatever was written, as text: `[x]` for a list of x."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return str(value).lower()
    if is_list(value):
        return f"[{', '.join(text_of(item) for item in value)}]"
    if is_object(value):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


def list_of(value: Any) -> tuple[str, ...]:
    """A YAML or JSON list, or words separated by commas or blanks outside of brackets."""
    if is_list(value):
        return tuple(text for item in value if (text := text_of(item)))
    text = text_of(value)
    if text.startswith("[") and text.endswith("]"):
        try:
            return list_of(json.loads(text))
        except ValueError:
            text = text[1:-1]
    return tuple(word for part in _split(text) if (word := _unquoted(part.strip())))


def _split(text: str) -> list[str]:
    parts, word, depth = list[str](), "", 0
    for character in text:
        depth = max(0, depth + (character in "({") - (character in ")}"))
        if depth == 0 and (character == "," or character.isspace()):
            parts.append(word)
            word = ""
        else:
            word += character
    return [*parts, word]
