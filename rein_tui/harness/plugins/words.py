"""What files define, as values: a command or skill, a style, a server, a plugin with all of these."""

from typing import Any, Literal

from msgspec import field

from ..protocol.agents import AgentSpec
from ..protocol.base import JsonObject, Word
from ..protocol.decisions import Layer, Source
from ..protocol.events import Notice
from ..protocol.hooks import HookSpec


class Owner(Word, frozen=True, kw_only=True):
    """Whose a definition is: a layer's, or a plugin's with its folders and option values.

    `label` is what a person reads. `trusted` false: what it would open up does not count. `may_speak` false: the
    model does not hear of it either.
    """

    layer: Layer
    label: str
    plugin: str = ""
    plugin_id: str = ""
    root: str = ""
    data: str = ""
    options: JsonObject = field(default_factory=dict[str, Any])
    trusted: bool = True
    may_speak: bool = True


class Definition(Word, frozen=True, kw_only=True):
    """A command or skill: its head. The body stays in its file and is read when it is used.

    `name` is what is typed behind the slash; `aliases` are names that work where nobody else has them. `folder` is
    the skill's own (the command file's). `tools_source` says where `allowed` is written. `base` is what `$N` counts
    from. `background` says whether a subagent that does the work is waited for; None: as usual.
    """

    name: str
    kind: Literal["command", "skill"]
    path: str
    folder: str
    owner: Owner
    source: Source
    aliases: tuple[str, ...] = ()
    description: str = ""
    when: str = ""
    hint: str = ""
    arguments: tuple[str, ...] = ()
    for_model: bool = True
    for_person: bool = True
    allowed: tuple[str, ...] = ()
    tools_source: Source = Source(layer="frontmatter")
    disallowed: tuple[str, ...] = ()
    model: str = ""
    effort: str = ""
    forks: bool = False
    background: bool | None = None
    agent: str = ""
    hooks: JsonObject = field(default_factory=dict[str, Any])
    paths: tuple[str, ...] = ()
    shell: str = ""
    base: int = 0
    problems: tuple[Notice, ...] = ()

    @property
    def is_harmless(self) -> bool:
        """Whether using it opens nothing up: no rules, no hooks."""
        return not self.allowed and not self.hooks


class Style(Word, frozen=True, kw_only=True):
    """An output style: words for the end of the system prompt. An empty `path` means that `text` is all of it."""

    name: str
    description: str = ""
    path: str = ""
    text: str = ""
    source: Source = Source(layer="builtin")
    plugin_id: str = ""
    keeps_instructions: bool = False
    forced: bool = False


class ServerDefinition(Word, frozen=True, kw_only=True):
    """An MCP server that a plugin brings: `name` as the plugin calls it, `config` as written, folders filled in.

    `scoped` is the server's name in the session; `environment` is what its process gets on top.
    """

    name: str
    scoped: str
    config: JsonObject
    source: Source
    plugin_id: str = ""
    environment: dict[str, str] = field(default_factory=dict[str, str])


class Plugin(Word, frozen=True, kw_only=True):
    """A plugin as loaded. `loaded` false: nothing of it counts, `problems` say why.

    `origin` says how it got here: inline (--plugin-dir), skills-dir, or the marketplace's name. `needs` are the
    plugins that it cannot do without: names, or ids.
    """

    id: str
    name: str
    root: str
    origin: str
    version: str = ""
    description: str = ""
    enabled: bool = True
    loaded: bool = True
    default_enabled: bool = True
    data: str = ""
    options: JsonObject = field(default_factory=dict[str, Any])
    commands: tuple[Definition, ...] = ()
    skills: tuple[Definition, ...] = ()
    agents: tuple[AgentSpec, ...] = ()
    hooks: tuple[HookSpec, ...] = ()
    mcp: tuple[ServerDefinition, ...] = ()
    styles: tuple[Style, ...] = ()
    bin: str = ""
    needs: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    problems: tuple[Notice, ...] = ()
