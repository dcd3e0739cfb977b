"""What files and plugins bring to one session, found once and found again on demand."""

import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..agents import builtin_agents
from ..protocol.agents import AgentSpec
from ..protocol.events import Notice
from ..protocol.hooks import HookSpec
from ..protocol.workbench import ExtensionRow
from ..settings.layers import Settings
from ..settings.shapes import is_object
from .catalog import Catalog
from .definitions import body_of
from .finding import FoundPlugins, PluginScene, find_plugins
from .rendering import Scene, render_words
from .rows import agent_row, definition_row, plugin_row, style_row
from .shelves import Library, shelves
from .styles import BUILT_IN, chosen_style
from .words import Owner, Plugin, ServerDefinition


@dataclass(slots=True)
class Extensions:
    """The catalog of a session, and what its plugins add elsewhere: hooks, servers, programs.

    `changed` are told when plugins were found anew.
    """

    scene: PluginScene
    catalog: Catalog
    plugins: list[Plugin]
    notices: list[Notice] = field(default_factory=list[Notice])
    changed: list[Callable[[], Awaitable[None]]] = field(default_factory=list[Callable[[], Awaitable[None]]])
    _found: FoundPlugins | None = None

    @property
    def active(self) -> list[Plugin]:
        """The plugins that count."""
        return [plugin for plugin in self.plugins if plugin.enabled and plugin.loaded]

    def hooks(self) -> list[HookSpec]:
        """The hooks of all active plugins, plugin by plugin."""
        return [spec for plugin in self.active for spec in plugin.hooks]

    def servers(self) -> list[ServerDefinition]:
        """The MCP servers of all active plugins."""
        return [server for plugin in self.active for server in plugin.mcp]

    def search_path(self, before: str) -> str:
        """PATH with the plugins' programs in front."""
        return os.pathsep.join([*(plugin.bin for plugin in self.active if plugin.bin), *([before] if before else [])])

    def find_again(self, settings: Settings) -> None:
        """Look for plugins anew; `take_up` lets what was found hold. Reads many files: for a thread."""
        self._found = find_plugins(replace(self.scene, settings=settings))

    async def take_up(self) -> list[Notice]:
        """Let what was found last hold; what is wrong now and was not before."""
        found, told = self._found, set(self.notices)
        if found is None:
            return []
        self._found, self.plugins = None, found.plugins
        self.catalog.use_plugins(found.active)
        self.notices = [*found.notices, *plugin_notices(found.plugins)]
        for take_up in self.changed:
            await take_up()
        return [notice for notice in self.notices if notice not in told]

    def rows(self) -> list[ExtensionRow]:
        """Everything, for people."""
        return [
            *(plugin_row(plugin) for plugin in self.plugins),
            *(definition_row(defined) for defined in self.catalog.definitions()),
            *(agent_row(spec) for spec in (builtin_agents() | self.catalog.agents()).values()),
            *(style_row(style) for style in (BUILT_IN | self.catalog.styles()).values()),
        ]

    def style(self) -> tuple[tuple[str, str] | None, list[Notice]]:
        """The output style in force as (source, text), and what is wrong with it."""
        wanted = self.scene.settings.get("outputStyle", default="")
        styles = self.catalog.styles()
        return chosen_style(wanted if isinstance(wanted, str) else "", styles, self.active, str(self.scene.root))

    def agent_prompt(self, spec: AgentSpec) -> str:
        """An agent's system prompt: kept in its file until now. Raises ConfigError."""
        if spec.prompt or not spec.source.path:
            return spec.prompt
        return body_of(spec.source.path, self._owner(spec), str(self.scene.root))

    def preloaded(self, spec: AgentSpec, scene: Scene) -> list[str]:
        """The texts of the skills that an agent begins with; one that is not there is left out. Raises ConfigError."""
        found = [self.catalog.find(name) for name in spec.skills]
        return [
            f"<skill name={each.name!r}>\n{render_words(each, scene)}\n</skill>"
            for each in found
            if each is not None and each.for_model
        ]

    def _owner(self, spec: AgentSpec) -> Owner:
        plugin = next((plugin for plugin in self.plugins if plugin.id == spec.plugin_id), None)
        if plugin is None:
            return Owner(layer=spec.source.layer, label=spec.source.layer)
        return Owner(layer="plugin", label=plugin.id, plugin=plugin.name, root=plugin.root, data=plugin.data)


def load_extensions(scene: PluginScene, additional: Sequence[Path] = ()) -> Extensions:
    """Everything that files and plugins bring. Reads files, runs nothing, never raises for what it finds."""
    found_shelves = shelves(scene.places, scene.root, tuple(additional), trusted=scene.settings.trusted)
    scene = replace(scene, shelves=found_shelves)
    found = find_plugins(scene)
    overrides = scene.settings.merged("skillOverrides")
    words = {name: value for name, value in overrides.items() if isinstance(value, str)} if is_object(overrides) else {}
    ban = scene.settings.get("permissions", "disableBypassPermissionsMode") == "disable"
    library = Library(found_shelves, frozenset({"bypassPermissions"} if ban else ()))
    catalog = Catalog(library, found.active, scene.root, words)
    notices = [*found.notices, *plugin_notices(found.plugins), *catalog.new_problems()]
    return Extensions(scene, catalog, found.plugins, notices)


def plugin_notices(plugins: Sequence[Plugin]) -> list[Notice]:
    """What a person should know about their plugins at the start of a session; trifles wait for `plugin validate`."""
    return [
        notice
        for plugin in plugins
        if plugin.enabled
        for notice in plugin.problems
        if notice.level == "error" or notice.code in _WORTH_TELLING
    ]


_WORTH_TELLING = frozenset(
    """frontmatter_ignored entry_skipped inert_rule unknown_hook_event bad_matcher bad_hook path_outside
    option_missing server_not_started dependency_missing""".split()
)
