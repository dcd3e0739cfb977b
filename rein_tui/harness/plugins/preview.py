"""What a plugin would bring, before it is installed: what it runs, what it adds, what it costs in context."""

from ..protocol.base import JsonObject, Word
from ..settings.shapes import is_list
from .words import Definition, Plugin

_CHARACTERS_A_TOKEN = 4


class HookLine(Word, frozen=True, kw_only=True):
    """One hook: when, for what, and the command line (or prompt, URL, tool) that it would run."""

    point: str
    matcher: str
    runs: str


class PluginPreview(Word, frozen=True, kw_only=True):
    """A plugin as a person decides about it. `tokens` is roughly what it adds to every request."""

    id: str
    version: str = ""
    description: str = ""
    hooks: tuple[HookLine, ...] = ()
    servers: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    skills: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    skill_hooks: tuple[tuple[str, str], ...] = ()
    programs: bool = False
    needs: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    tokens: int = 0
    problems: tuple[str, ...] = ()

    def powers(self) -> list[str]:
        """What it runs and opens up, in lines."""
        lines: list[str] = []
        for hook in self.hooks:
            about = f" ({hook.matcher})" if hook.matcher else ""
            lines.append(f"  runs at {hook.point}{about}: {hook.runs}")
        lines += [f"  runs hooks at {event}, while /{skill} is used" for skill, event in self.skill_hooks]
        lines += [f"  starts the server {server}" for server in self.servers]
        lines += [f"  may call without asking, while used: {rule}" for rule in self.allowed]
        if self.programs:
            lines.append("  puts programs on the PATH of commands")
        return lines

    def lines(self) -> list[str]:
        """The preview as text, what runs first."""
        lines = [f"{self.id} {self.version}".rstrip(), *([f"  {self.description}"] if self.description else [])]
        lines += self.powers()
        for title, names in (("commands", self.commands), ("skills", self.skills), ("agents", self.agents)):
            if names:
                lines.append(f"  {title}: {', '.join(names)}")
        if self.needs:
            lines.append(f"  needs other plugins, which are not installed with it: {', '.join(self.needs)}")
        if self.unused:
            lines.append(f"  brings what has no meaning here: {', '.join(self.unused)}")
        elif len(lines) <= 2 and not self.problems:
            lines.append("  brings nothing")
        lines.append(f"  costs about {self.tokens} tokens of context in every request")
        return [*lines, *(f"  problem: {problem}" for problem in self.problems)]


def preview_of(plugin: Plugin) -> PluginPreview:
    """What this plugin brings."""
    defined = (*plugin.commands, *plugin.skills)
    return PluginPreview(
        id=plugin.id,
        version=plugin.version,
        description=" ".join(plugin.description.split()),
        hooks=tuple(HookLine(point=spec.point, matcher=spec.matcher, runs=_run(spec.config)) for spec in plugin.hooks),
        servers=tuple(f"{server.name}: {_run(server.config)}" for server in plugin.mcp),
        commands=tuple(f"/{each.name}" for each in plugin.commands),
        skills=tuple(f"/{each.name}" for each in plugin.skills),
        agents=tuple(agent.name for agent in plugin.agents),
        allowed=tuple(dict.fromkeys(rule for each in defined for rule in each.allowed)),
        skill_hooks=tuple((each.name, event) for each in defined for event in each.hooks),
        programs=bool(plugin.bin),
        needs=plugin.needs,
        unused=plugin.unused,
        tokens=context_cost(plugin),
        problems=tuple(str(notice.text) for notice in plugin.problems if notice.level != "info"),
    )


def context_cost(plugin: Plugin) -> int:
    """Tokens that names and descriptions add to every request, roughly; servers' tools come on top."""
    listed: list[Definition] = [each for each in (*plugin.commands, *plugin.skills) if each.for_model]
    characters = sum(len(each.name) + len(each.description) + len(each.when) + 4 for each in listed)
    characters += sum(len(agent.name) + min(len(agent.description), 200) + 4 for agent in plugin.agents)
    return round(characters / _CHARACTERS_A_TOKEN)


def counted(number: int, thing: str) -> str:
    """`1 plugin`, `2 plugins`."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _run(config: JsonObject) -> str:
    for key in ("command", "url", "prompt", "tool"):
        value = config.get(key)
        if isinstance(value, str) and value:
            arguments = config.get("args")
            extra = [str(part) for part in arguments] if is_list(arguments) else []
            return " ".join([value, *extra])
    return "?"
