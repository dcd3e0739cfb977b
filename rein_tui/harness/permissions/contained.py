"""What a sandbox that holds makes of a verdict on a command (`sandbox.autoAllowBashIfSandboxed`)."""

from dataclasses import replace

from .files import PathScene, Verdict


def in_sandbox(verdict: Verdict, scene: PathScene) -> Verdict:
    """An ask that only says "no rule covers it" passes; rules, protected and critical paths and plan mode hold.

    A line that is not understood passes only where no rule forbids or asks about anything: the sandbox does not
    know those rules.
    """
    if verdict.outcome != "ask" or not verdict.waivable or scene.mode == "plan":
        return verdict
    is_limited = any(rule.behavior != "allow" and rule.kind in ("bash", "path") for rule in scene.book.rules)
    if verdict.decided_by != "default" and (verdict.decided_by != "opaque" or is_limited):
        return verdict
    reason = "It runs in the sandbox, and sandbox.autoAllowBashIfSandboxed lets such commands run"
    return replace(verdict, outcome="allow", decided_by="sandbox", reason=reason, rule=None)
