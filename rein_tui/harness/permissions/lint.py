"""What is wrong with a set of rules: shadowed, over-broad, inert, misspelt, escapable.

Rules are tried on samples of what they say, by the engine itself, so that lint and decisions cannot disagree.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import PermissionQuery, Rule
from rein_tui.harness.protocol.policy import Fault

from .explain import place
from .policy import Policy
from .rules import ParsedRule
from .tool_names import SEARCHERS, WRITERS

_CODES: dict[str, Fault] = {
    "inert_rule": "inert",
    "unknown_tool": "misspelt",
    "entry_skipped": "inert",
    "entry_hardened": "misspelt",
    "settings_broken": "broken",
}

RUNNERS = frozenset(
    "bash sh zsh dash fish python python3 node deno bun ruby perl php lua awk sudo env xargs eval exec ssh docker "
    "kubectl npx uvx pipx make just nohup parallel watch find git".split()
)
"""Programs that can run anything: an allow rule that leaves their arguments open allows anything."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a person should look at. `where` is file:line."""

    fault: Fault
    text: str
    where: str = ""
    hint: str = ""


def lint(policy: Policy) -> list[Finding]:
    """Everything that is wrong with the rules in force, in the order of the rules."""
    return [finding for findings in lint_steps(policy) for finding in findings]


def lint_steps(policy: Policy) -> Iterator[list[Finding]]:
    """The same in small steps: what was found while reading, then one rule after the other."""
    yield [
        Finding(_CODES[notice.code], notice.text, notice.where, notice.hint)
        for notice in policy.problems
        if notice.code in _CODES
    ]
    for rule in policy.rules:
        yield [*_broad(rule), *_shadowed(rule, policy), *_escapable(rule, policy)]


def lint_rule(rule: ParsedRule) -> list[Finding]:
    """What is wrong with one rule by itself, whatever else is in force."""
    return list(_broad(rule))


def _finding(fault: Fault, rule: Rule, text: str, hint: str = "") -> Finding:
    return Finding(fault, f"{rule.text} ({rule.behavior}) {text}", str(rule.source), hint)


def _broad(rule: ParsedRule) -> Iterator[Finding]:
    if rule.behavior != "allow":
        return
    if rule.kind == "bash":
        words = rule.spec.replace(":*", " *").split()
        program = words[0] if words else "*"
        if program.startswith("*"):
            yield _finding("broad", rule.rule, "allows every command", "name the commands that you mean")
        elif program in RUNNERS and words[1:] == ["*"]:
            yield _finding("broad", rule.rule, f"allows anything that {program} can run", "name a sub-command")
    elif rule.kind == "path" and (rule.pattern is None or rule.pattern.parts[:1] in ((), ("**",))):
        outside = rule.pattern is None or rule.pattern.anchor in ("root", "home")
        if outside:
            doing = "changing" if rule.access == "write" else "reading"
            yield _finding("broad", rule.rule, f"allows {doing} files far outside the project", "name a folder")
    elif rule.kind == "domain" and rule.spec.strip() == "*":
        yield _finding("broad", rule.rule, "allows every host", "name the hosts that you mean")
    elif rule.kind == "tool" and rule.tool == "WebFetch":
        yield _finding("broad", rule.rule, "allows every host", "write WebFetch(domain:<host>)")


def _shadowed(rule: ParsedRule, policy: Policy) -> Iterator[Finding]:
    """An allow or ask rule none of whose samples it decides, because an earlier or stricter rule always does."""
    decisions = [decision for query in samples(rule, policy) if (decision := policy.consider(query)).rule is not None]
    others = {decision.rule for decision in decisions if decision.rule is not None}
    if not decisions or rule.rule in others or len(decisions) < len(list(samples(rule, policy))):
        return
    other = next(iter(others))
    why = "says the same" if other.behavior == rule.rule.behavior else f"always {_does(other)} first"
    yield _finding("shadowed", rule.rule, f"does nothing: {other.text} ({place(other.source)}) {why}")


def _does(rule: Rule) -> str:
    return {"deny": "denies", "ask": "asks", "allow": "allows"}[rule.behavior]


def _escapable(rule: ParsedRule, policy: Policy) -> Iterator[Finding]:
    if rule.behavior != "deny":
        return
    if rule.kind == "bash" and rule.spec and "*" not in rule.spec:
        hint = f"write Bash({rule.spec.split()[0]} *)"
        yield _finding("escapable", rule.rule, "bars this exact spelling only; other options or order pass", hint)
    way = next((other for other in policy.rules if _runs_anything(other)), None)
    if way is None:
        return
    if rule.kind == "bash" and rule.spec and not _runs_anything(rule):
        yield _finding("escapable", rule.rule, f"can be got around through {way.rule.text}, which runs other programs")
    elif rule.kind == "path":
        yield _finding("escapable", rule.rule, f"does not bind programs that {way.rule.text} lets run")


def _runs_anything(rule: ParsedRule) -> bool:
    return rule.behavior == "allow" and rule.kind == "bash" and bool(list(_broad(rule)))


def samples(rule: ParsedRule, policy: Policy) -> Iterator[PermissionQuery]:
    """A few calls that the rule speaks about; none where no sample can be made."""
    for filler in ("sample", "other-sample"):
        tool_input = _sample_input(rule, filler, policy)
        if tool_input is not None:
            tool = rule.tool.replace("*", filler)
            yield PermissionQuery(tool=tool, input=tool_input, cwd=policy.root, mode="default")


def _sample_input(rule: ParsedRule, filler: str, policy: Policy) -> JsonObject | None:
    if rule.kind == "bash":
        spec = rule.spec.removesuffix(":*") + (f" {filler}" if rule.spec.endswith(":*") else "")
        return {"command": spec.replace("*", filler) or filler}
    if rule.kind == "path":
        return _sample_path(rule, filler, policy)
    if rule.kind == "domain":
        return {"url": f"https://{rule.spec.strip().replace('*', filler)}/"}
    if rule.kind == "name":
        field = "subagent_type" if rule.tool == "Agent" else "skill"
        return {field: rule.spec.replace("*", filler).strip()}
    if rule.kind == "field":
        name, _, value = rule.spec.partition(":")
        return {name: value.replace("*", filler)}
    return {}


def _sample_path(rule: ParsedRule, filler: str, policy: Policy) -> JsonObject | None:
    field = WRITERS.get(rule.tool, "path" if rule.tool in SEARCHERS else "file_path")
    if rule.pattern is None:
        return {field: f"{policy.root}/{filler}"}
    if any(char in part for part in rule.pattern.parts for char in "?[\\"):
        return None
    starts = {"root": "", "home": policy.home, "base": policy.base_of(rule.rule), "cwd": policy.root}
    parts = [part.replace("**", filler).replace("*", filler) for part in rule.pattern.parts]
    tail = [filler] if rule.pattern.inside else []
    return {field: "/".join((starts[rule.pattern.anchor], *parts, *tail))}


def told(findings: Iterable[Finding]) -> Iterator[str]:
    """Findings as lines of text."""
    for finding in findings:
        where = f"{finding.where}: " if finding.where else ""
        hint = f" ({finding.hint})" if finding.hint else ""
        yield f"{where}{finding.fault}: {finding.text}{hint}"
