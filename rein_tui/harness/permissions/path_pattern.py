"""Path patterns of rules: gitignore syntax over path components.

A pattern fits a path when it fits the path itself or a folder above it. `*`, `?` and `[…]` stay within one
component, `**` stands for any number of them. Matching walks components with one backtrack point per level, so
it cannot run away; literal parts are compared first, so that most rules cost one comparison.
"""

import unicodedata
from dataclasses import dataclass
from typing import Literal, TypeAlias

Anchor: TypeAlias = Literal["root", "home", "base", "cwd"]
"""What a pattern starts from: the file system, the home folder, the settings file's folder, the working folder."""

MAX_PATTERN = 4096


@dataclass(frozen=True, slots=True)
class PathPattern:
    """A compiled pattern. `parts` are components, each a literal or a glob; `**` stands alone.

    `floating` patterns fit at any depth below their anchor. `inside` means that only what lies below the last
    component counts, not that component itself (`src/**`).
    """

    text: str
    anchor: Anchor
    parts: tuple[str, ...]
    floating: bool = False
    inside: bool = False

    @property
    def literal_prefix(self) -> tuple[str, ...]:
        """The leading components without wildcards."""
        literal: list[str] = []
        for part in () if self.floating else self.parts:
            if is_glob(part):
                break
            literal.append(unescape(part))
        return tuple(literal)


def compile_pattern(text: str, *, broad: bool) -> PathPattern | str:
    """Compile the text within `Read(…)`; a reason when it makes no sense.

    `broad` (deny and ask rules) lets `src/**` fit at any depth; an allow rule means `<cwd>/src` only.
    """
    if not text or len(text) > MAX_PATTERN:
        return "the path is empty" if not text else "the path is too long"
    if text.startswith("!"):
        return "a negated path is not supported"
    if any(ord(char) < 32 or ord(char) == 127 for char in text):
        return "the path holds control characters"
    anchor, rest = _anchor(text)
    dotted = rest.startswith("./")
    parts = [part for part in unicodedata.normalize("NFC", rest).split("/") if part not in ("", ".")]
    if ".." in parts:
        return "the path climbs with '..'"
    while len(parts) > 1 and parts[-1] == parts[-2] == "**":
        parts.pop()
    folder = rest.endswith("/") and bool(parts)
    inside = parts[-1:] == ["**"] and len(parts) > 1
    if inside:
        parts.pop()
    single = len(parts) == 1 and parts != ["**"]
    floating = False
    if anchor == "cwd" and single:
        floating = broad or not (dotted or inside or folder)
    return PathPattern(text, anchor, tuple(parts), floating, inside)


def _anchor(text: str) -> tuple[Anchor, str]:
    if text.startswith("//"):
        return "root", text[2:]
    if text == "~" or text.startswith("~/"):
        return "home", text[2:]
    if text.startswith("/"):
        return "base", text[1:]
    return "cwd", text


def fits(pattern: PathPattern, path: tuple[str, ...], *, broad: bool) -> bool:
    """Whether components below the pattern's anchor fit. `broad` also takes `src/**` for `src` itself."""
    parts = pattern.parts
    if pattern.floating:
        limit = len(path) if broad or not pattern.inside else len(path) - 1
        wanted = parts[0]
        if not is_glob(wanted):
            return unescape(wanted) in path[:limit]
        return any(component_fits(wanted, component) for component in path[:limit])
    if not broad and pattern.inside:
        path = path[:-1]
    return _prefix_fits(parts, path)


def _prefix_fits(parts: tuple[str, ...], path: tuple[str, ...]) -> bool:
    """Whether the pattern fits some prefix of the path; two pointers, one backtrack point at the last `**`."""
    at, step, star, mark = 0, 0, -1, 0
    while True:
        if step == len(parts):
            return True
        if parts[step] == "**":
            star, mark = step, at
            step += 1
        elif at < len(path) and component_fits(parts[step], path[at]):
            at, step = at + 1, step + 1
        elif star >= 0 and mark < len(path):
            mark += 1
            at, step = mark, star + 1
        else:
            return False


def is_glob(part: str) -> bool:
    """Whether a component holds wildcards that are not escaped."""
    escaped = False
    for char in part:
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif char in "*?[":
            return True
    return False


def unescape(part: str) -> str:
    """A component without its backslashes."""
    if "\\" not in part:
        return part
    out, escaped = "", False
    for char in part:
        if char == "\\" and not escaped:
            escaped = True
        else:
            out, escaped = out + char, False
    return out


def escape(part: str) -> str:
    """A component as a pattern that fits it alone."""
    return "".join(f"\\{char}" if char in "*?[]\\!" else char for char in part)


def component_fits(glob: str, name: str) -> bool:
    """Whether one component fits a glob of `*`, `?`, `[…]` and `\\x`."""
    if not is_glob(glob):
        return unescape(glob) == name
    at, step, star, mark = 0, 0, -1, 0
    while at < len(name):
        width = _unit(glob, step, name[at])
        if step < len(glob) and glob[step] == "*":
            star, mark = step, at
            step += 1
        elif width:
            at, step = at + 1, step + width
        elif star >= 0:
            mark += 1
            at, step = mark, star + 1
        else:
            return False
    return not glob[step:].strip("*")


def _unit(glob: str, step: int, char: str) -> int:
    """How many pattern characters fit this one character at `step`; 0 when they do not."""
    if step >= len(glob):
        return 0
    mark = glob[step]
    if mark == "?":
        return 1
    if mark == "\\" and step + 1 < len(glob):
        return 2 if glob[step + 1] == char else 0
    if mark == "[":
        close = glob.find("]", step + 2 if glob[step + 1 : step + 2] not in ("!", "^") else step + 3)
        if close > 0:
            return close - step + 1 if _in_class(glob[step + 1 : close], char) else 0
    return 1 if mark == char else 0


def _in_class(body: str, char: str) -> bool:
    negated = body[:1] in ("!", "^")
    body = body[1:] if negated else body
    found, at = False, 0
    while at < len(body):
        if body[at + 1 : at + 2] == "-" and at + 2 < len(body):
            found = found or body[at] <= char <= body[at + 2]
            at += 3
        else:
            found = found or body[at] == char
            at += 1
    return found is not negated
