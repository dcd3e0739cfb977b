"""Rules that would have let a call pass, with words for what else they let pass."""

from posixpath import dirname

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import Scope, Suggestion

from .files import PathScene, Verdict, judge
from .path_pattern import escape
from .rules import hosts_of
from .shell.types import Access as ShellAccess
from .spelling import below, components
from .tool_names import file_access, file_path, mcp_server


def suggestions(tool: str, tool_input: JsonObject, verdict: Verdict, scene: PathScene) -> tuple[Suggestion, ...]:
    """Suggestions for an ask; none where no rule may answer it."""
    if verdict.outcome != "ask" or not verdict.waivable:
        return ()
    if tool == "Bash":
        return _for_bash(verdict)
    if file_access(tool) is not None:
        return _for_file(tool, tool_input, scene)
    if tool == "WebFetch":
        hosts = hosts_of(tool_input.get("url"))
        return tuple(_one(f"WebFetch(domain:{host})", f"every page of {host}", "local") for host in hosts)
    if tool == "WebSearch":
        return (_one("WebSearch", "every web search", "local"),)
    if tool == "Skill":
        name = tool_input.get("skill")
        if isinstance(name, str) and name and "*" not in name:
            return (_one(f"Skill({name})", f"the skill {name} without arguments, always", "local"),)
        return ()
    server = mcp_server(tool)
    if server:
        return (
            _one(tool, f"every call of {tool}", "local"),
            _one(f"mcp__{server}", f"every tool of the server {server}", "session"),
        )
    return () if tool == "ExitPlanMode" else (_one(tool, f"every call of {tool}", "session"),)


def path_rule(path: str, access: ShellAccess, scene: PathScene) -> str:
    """The one rule that would approve what a command does to a path; empty where no rule may."""
    verb = "Read" if access == "read" else "Edit"
    verdict = judge(path, "read" if access == "read" else "write", scene)
    if verdict.outcome != "ask" or not verdict.waivable:
        return ""
    real = scene.spell(path).real
    folder = scene.facts.is_dir(real)
    if folder and len(components(real)) < 2:
        return ""
    return f"{verb}({_written(real, scene)}{'/**' if folder else ''})"


def _for_bash(verdict: Verdict) -> tuple[Suggestion, ...]:
    offered: list[Suggestion] = []
    if verdict.suggested:
        each = ", ".join(rule.removeprefix("Bash(").removesuffix(")") for rule in verdict.suggested)
        offered.append(Suggestion(rules=verdict.suggested, label=f"commands like: {each}", scope="local"))
    if verdict.exact:
        label = "exactly this" if len(verdict.exact) == 1 else "exactly these"
        offered.append(Suggestion(rules=verdict.exact, label=label, lasting=verdict.exact_lasts))
    return tuple(offered)


def _for_file(tool: str, tool_input: JsonObject, scene: PathScene) -> tuple[Suggestion, ...]:
    path = file_path(tool, tool_input, scene.ground.cwd)
    if not path:
        return ()
    spelled = scene.spell(path)
    verb = "Edit" if file_access(tool) == "write" else "Read"
    doing = "changing" if verb == "Edit" else "reading"
    exact = tuple(f"{verb}({_written(name, scene)})" for name in dict.fromkeys((spelled.plain, spelled.real)))
    found = [Suggestion(rules=exact, label=f"{doing} this file only")]
    folder = dirname(spelled.plain)
    if spelled.plain == spelled.real and (len(components(folder)) > 2 or scene.in_roots(scene.ground.fold(folder))):
        rule = f"{verb}({_written(folder, scene)}/**)"
        found.append(Suggestion(rules=(rule,), label=f"{doing} every file below {folder}"))
    return tuple(found)


def _written(path: str, scene: PathScene) -> str:
    """A path as a rule: below the start folder relative (`./src/a.py`), else absolute (`//etc/x`), taken literally."""
    parts = components(path)
    inner = below(parts, components(scene.ground.root))
    if inner is not None:
        return "/".join((".", *map(escape, inner)))
    return "//" + "/".join(map(escape, parts))


def _one(rule: str, label: str, scope: Scope) -> Suggestion:
    return Suggestion(rules=(rule,), label=label, scope=scope)
