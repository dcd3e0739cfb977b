"""Policy cases: a whole small world as one JSON object, and the decision that it leads to.

Used by `policy check --batch` and `policy test`. A case brings its own rules or layers, folders and mode; the
caller's settings, home and session play no part.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import Decision, HookVerdict, Layer, Mode, PermissionQuery, Rule, Source
from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.protocol.events import Notice
from rein_tui.harness.protocol.tools import Workspace
from rein_tui.harness.settings.keys import MODES
from rein_tui.harness.settings.layers import RANK, Settings, SettingsLayer
from rein_tui.harness.settings.load import assemble, layer_from_data
from rein_tui.harness.settings.shapes import is_list, is_object

from .facts import Disk, Facts, Fixture
from .policy import Policy, PolicyOptions
from .said import described_hooks
from .tool_names import WRITERS, canonical, file_access

_LAYERS: dict[str, Layer] = {
    **{name: name for name in RANK},
    "cli": "command_line",
    "flags": "command_line",
    "session": "command_line",
}


@dataclass(frozen=True, slots=True)
class Case:
    """One case, understood: the engine to ask and the question. `notices` is what was wrong in its settings."""

    id: str
    policy: Policy
    query: PermissionQuery
    tools: tuple[str, ...] | None = None
    notices: tuple[Notice, ...] = ()

    def decide(self) -> Decision:
        """The decision of the case."""
        tool = canonical(self.query.tool)
        if self.tools is not None and tool not in self.tools:
            reason = f"The running agent does not have the tool {tool}"
            return Decision(outcome="deny", reason=reason, decided_by="tool", mode=self.policy.mode)
        return self.policy.decide(self.query)


@dataclass(slots=True)
class _World:
    cwd: str
    home: str
    root: str
    trusted: bool
    layers: list[SettingsLayer] = field(default_factory=list[SettingsLayer])
    notices: list[Notice] = field(default_factory=list[Notice])
    broken: dict[str, str] = field(default_factory=dict[str, str])
    frontmatter: list[Rule] = field(default_factory=list[Rule])
    tools: tuple[str, ...] | None = None
    mode: Mode | None = None

    def place(self, layer: Layer) -> tuple[str, str]:
        """File and `/`-folder of a layer that the case does not place itself."""
        return {
            "managed": ("/etc/claude-code/managed-settings.json", "/etc/claude-code"),
            "user": (f"{self.home}/.claude/settings.json", f"{self.home}/.claude"),
            "project": (f"{self.root}/.claude/settings.json", self.root),
            "local": (f"{self.root}/.claude/settings.local.json", self.root),
        }.get(layer, ("--settings", self.root))

    def add(self, layer: Layer, data: JsonObject, base: str = "") -> None:
        """Add one layer of settings, checked as a file would be."""
        path, folder = self.place(layer)
        built, notices, broken = layer_from_data(layer, path, data, base or folder, self.trusted)
        self.layers.append(built)
        self.notices += notices
        if broken:
            self.broken[path] = broken

    @property
    def settings(self) -> Settings:
        """All layers of the case."""
        return assemble(self.layers, self.notices, self.broken, self.trusted)


def read_case(data: JsonObject) -> Case:
    """Build a case. Raises ConfigError naming the field that makes no sense."""
    cwd = _text(data, "cwd", "/w/proj")
    home = _text(data, "home", "/home/u")
    world = _World(cwd, home, cwd, data.get("trusted_folder", True) is not False)
    _rules(data, world)
    _layers(data, world)
    world.mode = _mode(data.get("mode"), "mode") or world.mode
    facts = _facts(data, world)
    policy = Policy(world.settings, _workspace(data, world), _places(home), _options(data, world, facts))
    tool, tool_input = _call(data)
    tool_input, verdicts = described_hooks(data.get("hooks"), tool, tool_input)
    interactive = data.get("interactive", True) is not False
    query = _query(tool, tool_input, cwd, world, interactive, verdicts)
    name = data.get("id", "")
    return Case(str(name), policy, query, world.tools, policy.problems)


def _query(
    tool: str, tool_input: JsonObject, cwd: str, world: _World, interactive: bool, verdicts: Sequence[HookVerdict]
) -> PermissionQuery:
    return PermissionQuery(
        tool=tool,
        input=tool_input,
        cwd=cwd,
        frontmatter=tuple(world.frontmatter),
        hook_verdicts=tuple(verdicts),
        interactive=interactive,
    )


def _rules(data: JsonObject, world: _World) -> None:
    rules = data.get("rules")
    if rules is None:
        return
    source = _text(data, "rules_source", "user")
    layer = _LAYERS.get(source)
    if layer is None:
        raise ConfigError(f"unknown rules_source {source!r}", where="rules_source")
    if not is_object(rules):
        raise ConfigError("must be an object with allow, ask and deny", where="rules")
    world.add(layer, {"permissions": rules}, _text(data, "settings_dir", ""))


def _layers(data: JsonObject, world: _World) -> None:
    layers = data.get("layers", {})
    if not is_object(layers):
        raise ConfigError("must be an object of settings by layer", where="layers")
    for name, content in layers.items():
        if not is_object(content):
            raise ConfigError("must be an object", where=f"layers.{name}")
        if name in _LAYERS:
            world.add(_LAYERS[name], content)
        elif name in ("frontmatter", "command", "skill", "agent"):
            _frontmatter(content, name, world)
        else:
            raise ConfigError(f"unknown layer {name!r}", where="layers")


def _frontmatter(content: JsonObject, name: str, world: _World) -> None:
    home = {"project": f"{world.root}/.claude", "local": f"{world.root}/.claude"}
    folder = home.get(str(content.get("source", "user")), f"{world.home}/.claude")
    source = Source(layer="frontmatter", path=f"{folder}/{name}.md")
    for key, behavior in (("allowed-tools", "allow"), ("disallowedTools", "deny"), ("disallowed-tools", "deny")):
        for text in _names(content.get(key)):
            rule = Rule(text=text, behavior="allow" if behavior == "allow" else "deny", source=source)
            world.frontmatter.append(rule)
    if content.get("tools") is not None:
        world.tools = tuple(canonical(text.partition("(")[0]) for text in _names(content["tools"]))
    mode = _mode(content.get("permissionMode"), f"layers.{name}.permissionMode")
    own = content.get("source", "user") not in ("project", "local")
    world.mode = mode if own or (world.trusted and mode != "bypassPermissions") else None


def _names(value: Any) -> list[str]:
    if isinstance(value, str):
        return split_rules(value)
    return [item for item in value if isinstance(item, str)] if is_list(value) else []


def split_rules(text: str) -> list[str]:
    """Rules written in one string: commas and blanks separate, but not within parentheses."""
    found: list[str] = [""]
    depth = 0
    for char in text:
        depth += (char == "(") - (char == ")" and depth > 0)
        if depth == 0 and char in ", \t\n":
            found.append("")
        else:
            found[-1] += char
    return [item for item in found if item]


def _mode(value: Any, where: str) -> Mode | None:
    if value is None:
        return None
    mode = MODES.get(value) if isinstance(value, str) else None
    if mode is None:
        raise ConfigError(f"unknown mode {value!r}", where=where)
    return mode


def _facts(data: JsonObject, world: _World) -> Facts:
    context = data.get("ctx")
    if is_object(context):
        dirs = [*_files(context.get("dirs")), world.cwd, world.home]
        return Fixture(dirs, _files(context.get("files")), _files(context.get("symlinks")))
    return Disk() if Disk().is_dir(world.cwd) else Fixture([world.cwd, world.home])


def _files(value: Any) -> dict[str, str]:
    if is_list(value):
        return {str(path): "" for path in value}
    return {path: str(text) for path, text in value.items()} if is_object(value) else {}


def _options(data: JsonObject, world: _World, facts: Facts) -> PolicyOptions:
    fixture = data.get("fs")
    folds = is_object(fixture) and fixture.get("case_insensitive") is True
    forbidden = world.settings.get("permissions", "disableBypassPermissionsMode") == "disable"
    mode = None if forbidden and world.mode == "bypassPermissions" else world.mode
    return PolicyOptions(mode=mode, facts=facts, folds=folds)


def _workspace(data: JsonObject, world: _World) -> Workspace:
    folders: Any = data.get("additional_dirs", [])
    if not is_list(folders):
        raise ConfigError("must be a list", where="additional_dirs")
    return Workspace(
        root=Path(world.root),
        cwd=Path(world.cwd),
        home=Path(world.home),
        additional=[Path(str(folder)) for folder in folders],
        trusted=world.trusted,
    )


def _places(home: str) -> Places:
    base = Path(home)
    return Places(
        home=base,
        config=base / ".claude",
        managed=Path("/etc/claude-code"),
        data=base / ".local/share/rein-tui",
        cache=base / ".cache/rein-tui",
    )


def _call(data: JsonObject) -> tuple[str, JsonObject]:
    tool_input = data.get("input", {})
    if not is_object(tool_input):
        raise ConfigError("must be an object", where="input")
    if "command" in data:
        return _text(data, "tool", "Bash"), {"command": data["command"], **tool_input}
    tool = _text(data, "tool", "")
    if not tool:
        raise ConfigError("a case needs a tool, or a command", where="tool")
    if "path" in data:
        name = canonical(tool)
        field_name = WRITERS.get(name) or ("path" if name in ("Grep", "Glob") else "file_path")
        if file_access(name) is not None:
            tool_input = {field_name: data["path"], **tool_input}
    return tool, tool_input


def _text(data: JsonObject, name: str, default: str) -> str:
    value = data.get(name, default)
    if not isinstance(value, str):
        raise ConfigError("must be a string", where=name)
    return value
