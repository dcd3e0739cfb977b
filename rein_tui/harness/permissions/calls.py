"""The verdict of rules and mode on one call, whatever its tool."""

import re
from dataclasses import replace

from rein_tui.harness.protocol.decisions import PartDecision, PermissionQuery, RuleTrial

from .book import Behavior
from .explain import told_by
from .files import PathScene, Verdict, judge
from .rules import ParsedRule
from .shell_call import judge_command
from .tool_names import OUTWARD, QUIET, SEARCHERS, Access, file_access, file_path, mcp_server

_CLIMBS = re.compile(r"(?:^|[/{,(|])\.\.(?:[/},)|]|$)")

Judged = tuple[Verdict, tuple[PartDecision, ...]]


def judge_call(query: PermissionQuery, tool: str, scene: PathScene, trusted: bool) -> Judged:
    """Decide about a call before hooks and people have their say; also its parts, where it has some.

    Deny before ask before allow: rules about the whole tool and rules about its content are weighed together.
    """
    trials: list[RuleTrial] = []
    denying = _by_tool_rules("deny", tool, query, scene, trials)
    if denying is not None:
        return replace(denying, trials=tuple(trials)), ()
    verdict, parts = _by_content(query, tool, scene, trusted)
    if verdict.outcome != "deny":
        verdict = _weighed(verdict, query, tool, scene, trials)
    return replace(verdict, trials=(*trials, *verdict.trials)), parts


def _weighed(verdict: Verdict, query: PermissionQuery, tool: str, scene: PathScene, trials: list[RuleTrial]) -> Verdict:
    asking = _by_tool_rules("ask", tool, query, scene, trials)
    if asking is not None and (verdict.outcome == "allow" or verdict.waivable):
        return replace(asking, trials=verdict.trials, warnings=verdict.warnings)
    if verdict.outcome == "ask" and verdict.waivable:
        allowing = _by_tool_rules("allow", tool, query, scene, trials)
        if allowing is not None:
            return replace(allowing, trials=verdict.trials, warnings=verdict.warnings)
    return verdict


def _by_tool_rules(
    behavior: Behavior, tool: str, query: PermissionQuery, scene: PathScene, trials: list[RuleTrial]
) -> Verdict | None:
    first: ParsedRule | None = None
    for rule in scene.book.tool_rules(behavior):
        if not rule.names(tool):
            trials.append(RuleTrial(rule=rule.rule, matched=False, reason="is about another tool"))
        elif not rule.fits_input(query.input):
            trials.append(RuleTrial(rule=rule.rule, matched=False, reason="the input does not fit"))
        else:
            decided = first is None
            reason = "fits, and decides" if decided else "fits too, after another that decided"
            trials.append(RuleTrial(rule=rule.rule, matched=True, reason=reason, decided=decided))
            first = first or rule
    if first is None:
        return None
    return Verdict(behavior, "rule", told_by(behavior, first.rule, tool), first.rule, waivable=False)


def _by_content(query: PermissionQuery, tool: str, scene: PathScene, trusted: bool) -> Judged:
    if tool == "Bash":
        verdict, found = judge_command(query.input, scene, trusted)
        return verdict, () if found is None else found.parts
    access = file_access(tool)
    if access is not None:
        return _by_path(query, tool, access, scene)
    return _by_mode(query, tool, scene), ()


def _by_path(query: PermissionQuery, tool: str, access: Access, scene: PathScene) -> Judged:
    path = file_path(tool, query.input, scene.ground.cwd)
    if path is None:
        return Verdict("ask", "opaque", "The call does not name a file", waivable=False), ()
    verdict = judge(path, access, scene)
    parts = (PartDecision(text=path, outcome=verdict.outcome, reason=verdict.reason),)
    if tool not in SEARCHERS or verdict.outcome != "allow":
        return verdict, parts
    for field in ("pattern", "glob") if tool == "Glob" else ("glob",):
        reached = _reach(query.input.get(field), path)
        if reached is None:
            continue
        further = judge(reached, access, scene)
        parts = (*parts, PartDecision(text=reached, outcome=further.outcome, reason=further.reason))
        if further.outcome != "allow":
            return further, parts
    return verdict, parts


def _reach(pattern: object, folder: str) -> str | None:
    """Where a search pattern that leaves its folder leads to; None for one that stays."""
    if not isinstance(pattern, str):
        return None
    steps = pattern.split("/")
    if not pattern.startswith(("/", "~")) and not _CLIMBS.search(pattern):
        return None
    if _CLIMBS.search(pattern) and ".." not in steps:
        return "/"
    fixed = steps[: next((at for at, step in enumerate(steps) if any(char in step for char in "*?[{")), len(steps))]
    if ".." in steps[len(fixed) :]:
        return "/"
    start = "/".join(fixed) or "/"
    return start if start.startswith(("/", "~")) else f"{folder.rstrip('/')}/{start}"


def _by_mode(query: PermissionQuery, tool: str, scene: PathScene) -> Verdict:
    """The verdict on tools that are neither about files nor about commands, when no rule speaks."""
    if scene.mode == "bypassPermissions":
        return Verdict("allow", "mode", "bypassPermissions mode asks nothing")
    if tool in QUIET:
        return Verdict("allow", "tool", f"{tool} changes nothing outside the session")
    if query.read_only_tool and tool not in OUTWARD and not mcp_server(tool):
        return Verdict("allow", "read_only", f"{tool} changes nothing")
    if tool in OUTWARD:
        return Verdict("ask", "default", f"{tool} reaches the network, and no rule allows it")
    if mcp_server(tool):
        return Verdict("ask", "default", f"No rule allows {tool} of the MCP server {mcp_server(tool)}")
    return Verdict("ask", "default", f"No rule allows {tool}")
