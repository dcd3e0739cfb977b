"""ports.Permissions with fixed answers, for pictures of the screens that stand on it."""

from collections.abc import Sequence

from rein_tui.harness.protocol.decisions import (
    Decision,
    Grant,
    Outcome,
    PermissionQuery,
    Rule,
    RuleTrial,
    Scope,
    Source,
)
from rein_tui.harness.protocol.policy import (
    CallCheck,
    PastCall,
    PastGrant,
    PolicyOverview,
    RuleCheck,
    RuleFinding,
    RuleWish,
    ScopePlace,
)
from tests.app.fake_harness import NOW

PROJECT = "/w/shop/.claude/settings.json"
USER = "/home/ann/.claude/settings.json"
LOCAL = "/w/shop/.claude/settings.local.json"


def _rule(text: str, behavior: Outcome, layer: Scope, path: str, line: int) -> Rule:
    return Rule(text=text, behavior=behavior, source=Source(layer=layer, path=path, line=line))


RULES = (
    Rule(text="Bash(curl *)", behavior="deny", source=Source(layer="managed", path="/etc/rein/managed.json", line=4)),
    _rule("Edit(.github/**)", "ask", "project", PROJECT, 7),
    _rule("Bash(npm test *)", "allow", "project", PROJECT, 11),
    _rule("Bash(python *)", "allow", "user", USER, 5),
    _rule("Read(~/notes/**)", "allow", "user", USER, 6),
    _rule("Bash(touch *)", "allow", "session", "", 0),
)
GRANTS = (
    PastGrant(
        grant=Grant(rule="Bash(make *)", scope="local", time=NOW - 900_000, path=LOCAL, matched=31, revoked=True),
        session_id="a2",
        title="add a cache",
    ),
    PastGrant(grant=Grant(rule="Bash(touch *)", scope="session", time=NOW - 300, matched=2), is_held=True),
)
FINDINGS = (
    RuleFinding(
        fault="broad",
        text="Bash(python *) (allow) allows anything that python can run",
        where=f"{USER}:5",
        hint="name a sub-command",
    ),
    RuleFinding(
        fault="misspelt",
        text="permission rule 'Bsh(ls)' (allow) names a tool that does not exist: Bsh",
        where=f"{PROJECT}:12",
        hint="did you mean 'Bash'?",
    ),
)
PLACES = (
    ScopePlace(scope="session"),
    ScopePlace(scope="project", path=PROJECT),
    ScopePlace(scope="user", path=USER),
    ScopePlace(scope="local", path=LOCAL),
)


def decision_about(outcome: Outcome = "ask") -> Decision:
    """A decision by the project's ask rule, with its losers."""
    return Decision(
        outcome=outcome,
        reason=f"Asks by the rule {RULES[1].text} (the project's settings, {RULES[1].source})",
        decided_by="rule",
        rule=RULES[1],
        source=RULES[1].source,
        trials=tuple(
            RuleTrial(rule=rule, matched=rule is RULES[1], decided=rule is RULES[1], reason=reason)
            for rule, reason in zip(RULES[:3], ("other tool", "decided", "other tool"), strict=True)
        ),
    )


class FixedPermissions:
    """The same answer every time."""

    async def overview(self) -> PolicyOverview:
        return PolicyOverview(mode="default", rules=RULES, grants=GRANTS, places=PLACES)

    async def places(self) -> tuple[ScopePlace, ...]:
        return PLACES

    async def lint(self) -> tuple[RuleFinding, ...]:
        return FINDINGS

    async def check(self, query: PermissionQuery) -> CallCheck:
        return CallCheck(tool=query.tool, input=query.input, summary=query.tool, decision=decision_about())

    async def check_text(self, text: str) -> CallCheck:
        return CallCheck(tool="Edit", input={"file_path": text}, decision=decision_about())

    async def try_rules(self, wish: RuleWish, query: PermissionQuery | None = None) -> RuleCheck:
        calls: Sequence[PastCall] = (
            PastCall(call_id="1", tool="Edit", summary="Edit src/auth/session.py", refused=True),
            PastCall(call_id="2", tool="Edit", summary="Edit src/auth/keys.py"),
        )
        covered = Decision(outcome="allow", reason="allowed", decided_by="rule") if query else None
        return RuleCheck(decision=covered, would_change=tuple(calls))

    async def add(self, rule: str, behavior: Outcome, scope: Scope) -> Rule:
        return Rule(text=rule, behavior=behavior, source=Source(layer=scope))

    async def revoke(self, rule: Rule) -> bool:
        return rule in RULES
