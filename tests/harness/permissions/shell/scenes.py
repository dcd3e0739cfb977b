"""Scenes for shell tests: rules from text, a small file fixture and a plain reading of path rules."""

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from rein_tui.harness.permissions.shell.globs import globs_meet
from rein_tui.harness.permissions.shell.types import Access, ShellScene
from rein_tui.harness.protocol.decisions import Mode, Outcome, PartDecision, Rule, Source

CWD = "/w/proj"
HOME = "/home/u"
PROTECTED = (".git", ".claude", ".vscode", ".husky", ".bashrc", ".profile", ".npmrc", ".mcp.json", ".gitconfig")


@dataclass
class Files:
    """Files that exist nowhere but here."""

    dirs: Sequence[str] = ()
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    links: Mapping[str, str] = field(default_factory=dict[str, str])

    def exists(self, path: str) -> bool:
        """Whether the fixture names it."""
        return path in self.files or path in self.links or self.is_dir(path)

    def is_dir(self, path: str) -> bool:
        """Whether it is a folder of the fixture."""
        real = self.realpath(path)
        return real in self.dirs or any(name.startswith(real + "/") for name in self.files)

    def realpath(self, path: str) -> str:
        """The path with the fixture's links followed."""
        for _ in range(20):
            parts = posixpath.normpath(path).split("/")
            for count in range(2, len(parts) + 1):
                head = "/".join(parts[:count])
                if head in self.links:
                    path = posixpath.join(posixpath.dirname(head), self.links[head], *parts[count:])
                    break
            else:
                return posixpath.normpath(path)
        return path

    def read_text(self, path: str, limit: int) -> str | None:
        """The text of a file of the fixture."""
        text = self.files.get(self.realpath(path))
        return text if text is not None and len(text) <= limit else None

    def names(self, path: str, limit: int) -> tuple[str, ...] | None:
        """The names in a folder of the fixture."""
        prefix = path.rstrip("/") + "/"
        known = [*self.dirs, *self.files, *self.links]
        names = sorted({name[len(prefix) :].split("/")[0] for name in known if name.startswith(prefix)} - {""})
        return tuple(names) if len(names) <= limit else None


def rules(behavior: Outcome, texts: Sequence[str]) -> tuple[Rule, ...]:
    """Rules as a user's settings file would hold them."""
    source = Source(layer="user", path="/home/u/.claude/settings.json")
    return tuple(Rule(text=text, behavior=behavior, source=source) for text in texts)


def absolute_glob(pattern: str) -> str:
    """A path rule as an absolute glob."""
    if pattern.startswith("//"):
        return pattern[1:]
    if pattern.startswith("~/"):
        return HOME + pattern[1:]
    pattern = pattern.removeprefix("./")
    return f"{CWD}/{pattern}" if "/" in pattern.rstrip("/").removesuffix("/**") else f"{CWD}/**/{pattern}"


def scene(
    allow: Sequence[str] = (),
    ask: Sequence[str] = (),
    deny: Sequence[str] = (),
    *,
    mode: Mode = "default",
    files: Files | None = None,
    trusted: bool = True,
) -> ShellScene:
    """A scene in /w/proj. Path rules (`Read(…)`, `Edit(…)`) may stand among the others."""
    fixture = files or Files()

    def patterns(texts: Sequence[str], *tools: str) -> list[str]:
        return [absolute_glob(t[t.index("(") + 1 : -1]) for t in texts if t.split("(")[0] in tools]

    def hits(spellings: set[str], globs: Sequence[str]) -> bool:
        return any(globs_meet(spelling, glob) for spelling in spellings for glob in globs)

    def inside(path: str) -> bool:
        return path == CWD or path.startswith(CWD + "/")

    def check(path: str, access: Access) -> PartDecision:
        spellings = {posixpath.normpath(path).replace("//", "/"), fixture.realpath(path)}
        tools = ("Read",) if access == "read" else ("Read", "Edit")
        if hits(spellings, patterns(deny, *tools)):
            return PartDecision(text=path, outcome="deny", reason=f"a rule keeps {path} from being used")
        if hits(spellings, patterns(ask, *tools)) or path.startswith("/proc"):
            return PartDecision(text=path, outcome="ask", reason=f"a rule asks about {path}")
        if mode == "bypassPermissions":
            return PartDecision(text=path, outcome="allow", reason="the mode allows it")
        names = {part.casefold() for spelling in spellings for part in spelling.split("/")}
        if access != "read" and any(fnmatchcase(name, kept) for name in names for kept in PROTECTED):
            return PartDecision(text=path, outcome="ask", reason=f"{path} is protected")
        granted = patterns(allow, "Edit") + (patterns(allow, "Read") if access == "read" else [])
        if all(hits({spelling}, granted) for spelling in spellings):
            return PartDecision(text=path, outcome="allow", reason="a rule allows it")
        if not all(inside(spelling) for spelling in spellings):
            return PartDecision(text=path, outcome="ask", reason=f"{path} is outside the working directories")
        if access == "write" and mode not in {"acceptEdits"}:
            return PartDecision(text=path, outcome="ask", reason=f"writing {path} needs approval")
        return PartDecision(text=path, outcome="allow", reason="it is inside the working directories")

    def bash(behavior: Outcome, texts: Sequence[str]) -> tuple[Rule, ...]:
        return rules(behavior, [text for text in texts if text.split("(")[0] == "Bash"])

    return ShellScene(
        mode=mode,
        cwd=CWD,
        home=HOME,
        path_check=check,
        facts=fixture,
        allow=bash("allow", allow),
        ask=bash("ask", ask),
        deny=bash("deny", deny),
        roots=(CWD,),
        guarded=tuple(patterns([*deny, *ask], "Read", "Edit")),
        trusted=trusted,
        path_suggestion=lambda path, access: f"{'Read' if access == 'read' else 'Edit'}(/{path})",
        folder_names=fixture.names,
    )
