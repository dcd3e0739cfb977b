"""Reading one command, skill or style file: its head, with everything coerced and checked."""

import os
from dataclasses import replace
from pathlib import Path

from ..permissions.rules import parse_rule
from ..protocol.decisions import Rule, Source
from ..protocol.errors import ConfigError
from ..protocol.events import Notice
from ..settings.reader import read_bytes
from .frontmatter import Frontmatter, read_frontmatter
from .substitute import fill, folder_values
from .words import Definition, Owner, Style

MAX_FILE = 1024 * 1024
_USUAL = 100 * 1024
EFFORT_WORDS = ("low", "medium", "high", "xhigh", "max", "inherit")
_FLAGS = ("disable-model-invocation", "user-invocable", "background")
LONGEST_DESCRIPTION = 1536
"""Characters of description and when_to_use together, as the ecosystem cuts them."""


def read_file(path: Path, owner: Owner) -> Frontmatter:
    """A definition file, whole. Raises ConfigError when it cannot be read."""
    try:
        content = read_bytes(path, _USUAL)  # a read with a large limit reserves it, which hundreds of files would feel
    except ConfigError:
        content = read_bytes(path, MAX_FILE)
    if content is None:
        raise ConfigError("does not exist", where=str(path))
    try:
        return read_frontmatter(content.decode("utf-8"), str(path), owner.layer)
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        text = "is not UTF-8; what could not be read is replaced"
        notice = Notice(text=text, level="warning", where=f"{path}:{line}", code="not_utf8")
        head = read_frontmatter(content.decode("utf-8", "replace"), str(path), owner.layer)
        return replace(head, notices=(*head.notices, notice))


def read_definition(path: Path, owner: Owner, *, name: str, is_skill: bool, label: str = "") -> Definition:
    """A command or skill file. Raises ConfigError when it cannot be read; anything less is in its `problems`."""
    head = read_file(path, owner)
    own = head.text("name") if is_skill else ""
    scope, _, last = name.rpartition(":")
    if owner.plugin and own and ":" not in own and not any(map(str.isspace, own)):
        last = own
    plain = f"{scope}:{last}".lstrip(":")
    allowed, problems = _allowed(head, owner)
    effort, no_effort = head.word("effort", EFFORT_WORDS, "the session's effort holds")
    context, no_context = head.word("context", ("fork",), "it joins the conversation")
    problems += [*no_effort, *no_context, *head.doubts(*_FLAGS)]
    described = head.text("description") or head.first_paragraph
    when = head.text("when_to_use", "when-to-use")
    trusted = owner.trusted
    return Definition(
        name=f"{owner.plugin}:{plain}" if owner.plugin else plain,
        aliases=tuple(dict.fromkeys(alias for alias in (plain, own, label and f"{label}:{plain}") if alias)),
        kind="skill" if is_skill else "command",
        path=str(path),
        folder=str(path.parent),
        owner=owner,
        source=Source(layer=owner.layer, path=str(path), line=1),
        description=described[:LONGEST_DESCRIPTION],
        when=when[: max(0, LONGEST_DESCRIPTION - len(described))],
        hint=head.text("argument-hint"),
        arguments=head.items("arguments") or (),
        for_model=owner.may_speak and not head.flag("disable-model-invocation"),
        for_person=head.flag("user-invocable", default=True),
        allowed=allowed if trusted else (),
        tools_source=Source(layer="frontmatter", path=str(path), line=head.source("allowed-tools").line),
        disallowed=head.items("disallowed-tools", "disallowedTools") or (),
        model=head.text("model").replace("inherit", ""),
        effort=effort.replace("inherit", ""),
        forks=context == "fork",
        background=head.flag("background") if head.text("background") else None,
        agent=head.text("agent"),
        hooks=head.mapping("hooks") if trusted else {},
        paths=(head.items("paths") or ()) if is_skill else (),
        shell=head.text("shell"),
        base=head.number("positional-base"),
        problems=(*head.notices, *problems),
    )


def _allowed(head: Frontmatter, owner: Owner) -> tuple[tuple[str, ...], list[Notice]]:
    """The rules that can be read, plugin folders filled in; a bad one grants nothing and is told."""
    good, problems = list[str](), list[Notice]()
    values = folder_values(owner, "${CLAUDE_PROJECT_DIR}")
    source = Source(layer="frontmatter", path=head.path, line=head.source("allowed-tools").line)
    for entry in head.items("allowed-tools") or ():
        text = fill(entry, values)
        rule, notice = parse_rule(Rule(text=text, behavior="allow", source=source))
        if rule is not None:
            good.append(text)
        if notice is not None:
            problems.append(notice)
    return tuple(good), problems


def body_of(path: str, owner: Owner, project: str) -> str:
    """The body of an agent's or style's file, folders filled in. Raises ConfigError."""
    return fill(read_file(Path(path), owner).body.strip(), folder_values(owner, project))


def read_style(path: Path, owner: Owner) -> Style:
    """An output style file. Raises ConfigError when it cannot be read."""
    head = read_file(path, owner)
    name = head.text("name") or path.stem
    return Style(
        name=f"{owner.plugin}:{name}" if owner.plugin else name,
        description=head.text("description"),
        path=str(path),
        source=Source(layer=owner.layer, path=str(path), line=1),
        plugin_id=owner.plugin_id,
        keeps_instructions=head.flag("keep-coding-instructions"),
        forced=bool(owner.plugin) and head.flag("force-for-plugin"),
    )


def markdown_below(folder: Path, limit: int = 2000) -> list[Path]:
    """All markdown files below a folder, in order; links to folders are followed, each real folder once."""
    found: list[Path] = []
    seen: set[tuple[int, int]] = set()
    waiting = [str(folder)]
    while waiting and len(found) < limit:
        place = waiting.pop()
        try:
            state = os.stat(place)  # noqa: PTH116 - hundreds of these at every start
            if (state.st_dev, state.st_ino) in seen:
                continue
            seen.add((state.st_dev, state.st_ino))
            with os.scandir(place) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            continue
        waiting += [entry.path for entry in reversed(listed) if entry.is_dir() and not entry.name.startswith(".")]
        found += [Path(entry.path) for entry in listed if entry.name.endswith(".md") and entry.is_file()]
    return found[:limit]
