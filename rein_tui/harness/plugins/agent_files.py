"""Reading one agent file: its head, with everything coerced and checked."""

from pathlib import Path
from typing import Any, cast, get_args

from ..hooks.config import parse_hooks
from ..protocol.agents import AgentServer, AgentSpec, MemoryScope
from ..protocol.decisions import Mode, Source
from ..protocol.events import Notice
from ..protocol.hooks import HookSpec
from ..settings.shapes import is_list, is_object
from .definitions import EFFORT_WORDS, read_file
from .frontmatter import Frontmatter
from .words import Owner

_ALONE = ("hooks", "mcpServers", "permissionMode")
"""What a plugin's agent may not bring."""


def read_agent(path: Path, owner: Owner, scope: str = "") -> tuple[AgentSpec | None, tuple[Notice, ...]]:
    """An agent file; None for one without a name that is no plugin's. Raises ConfigError when it cannot be read.

    `scope` are the folders between the agents' own and the file, for a plugin's names. The prompt stays in the file.
    """
    head = read_file(path, owner)
    name = head.text("name")
    if not name and not owner.plugin:
        return None, head.notices if head.state in ("guessed", "unreadable") else ()
    name = name or path.stem
    if ":" in name or name.startswith("-"):
        text = f"the agent's name {name!r} may neither hold a colon nor begin with a dash"
        notice = Notice(text=text, level="warning", where=str(head.source("name")), code="bad_agent")
        return None, (*head.notices, notice)
    agent = _Agent(head)
    if owner.plugin:
        name = ":".join(part for part in (owner.plugin, scope, name) if part)
        agent.drop()
    opens = not owner.plugin and owner.trusted
    isolated = agent.word("isolation", ("worktree",), "it works where the session does")
    remembers = agent.word("memory", ("user", "project", "local"), "it remembers nothing")
    spec = AgentSpec(
        name=name,
        description=head.text("description") or head.first_paragraph,
        tools=_tools(head),
        disallowed=head.items("disallowedTools", "disallowed-tools") or (),
        model=head.text("model").replace("inherit", ""),
        effort=agent.word("effort", EFFORT_WORDS, "the session's effort holds").replace("inherit", ""),
        mode=agent.mode() if opens else None,
        max_turns=agent.max_turns(),
        background=head.flag("background"),
        skills=head.items("skills") or (),
        hooks=agent.hooks() if opens else (),
        servers=agent.servers() if opens else (),
        memory=cast("MemoryScope", remembers if owner.trusted else ""),
        is_isolated=owner.trusted and isolated == "worktree",
        initial_prompt=head.text("initialPrompt"),
        source=Source(layer=owner.layer, path=str(path), line=1),
        plugin_id=owner.plugin_id,
    )
    return spec, tuple(agent.notices)


def _tools(head: Frontmatter) -> tuple[str, ...] | None:
    tools = head.items("tools")
    return None if not tools or tools == ("*",) else tools


class _Agent:
    """The keys of an agent's head, each checked; what is wrong goes to `notices`."""

    def __init__(self, head: Frontmatter) -> None:
        self._head = head
        self.notices = list(head.notices)

    def _tell(self, key: str, text: str) -> None:
        where = str(self._head.source(key))
        self.notices.append(Notice(text=text, level="warning", where=where, code="bad_agent_key"))

    def drop(self) -> None:
        """Say which keys of a plugin's agent do not count."""
        self.notices += [
            Notice(
                text=f"{key} of a plugin's agent does not count", where=str(self._head.source(key)), code="plugin_agent"
            )
            for key in _ALONE
            if key in self._head.values
        ]

    def word(self, key: str, known: tuple[str, ...], otherwise: str) -> str:
        """One of the known words; empty for anything else, which is told."""
        word, notices = self._head.word(key, known, otherwise)
        self.notices += notices
        return word

    def mode(self) -> Mode | None:
        """The permission mode."""
        word = self._head.text("permissionMode").replace("manual", "default")
        if word in get_args(Mode):
            return cast("Mode", word)
        if word:
            text = f"permissionMode {word!r} is none of {', '.join(get_args(Mode))}; the session's mode holds"
            self.notices.append(
                Notice(text=text, level="warning", where=str(self._head.source("permissionMode")), code="bad_mode")
            )
        return None

    def max_turns(self) -> int:
        """How many answers it may give; 0 for no limit of its own."""
        keys = ("maxTurns", "max-turns")
        number = self._head.number(*keys)
        if not number and self._head.text(*keys):
            said = self._head.text(*keys)
            self._tell("maxTurns", f"maxTurns {said!r} is no whole number above 0; the session's limit holds")
        return number

    def hooks(self) -> tuple[HookSpec, ...]:
        """What it hooks while it runs."""
        head = self._head
        specs, problems = parse_hooks(head.mapping("hooks"), lambda _: head.source("hooks"), owner="agent:")
        self.notices += problems
        return tuple(specs)

    def servers(self) -> tuple[AgentServer, ...]:
        """The servers that it names or brings: a list of names and of `name: entry`, or an object of entries."""
        value: Any = self._head.values.get("mcpServers")
        if value is None:
            return ()
        found: list[AgentServer] = []
        source = self._head.source("mcpServers")
        items = value if is_list(value) else [value] if is_object(value) else list(self._head.items("mcpServers") or ())
        for item in items:
            if isinstance(item, str) and item.strip():
                found.append(AgentServer(name=item.strip(), source=source))
            elif is_object(item):
                # `name:` without anything behind it means one that the session has.
                found += [AgentServer(name=name, source=source, entry=entry) for name, entry in item.items()]
            else:
                self._tell("mcpServers", f"mcpServers holds {item!r}, which is neither a name nor an entry")
        return tuple(found)
