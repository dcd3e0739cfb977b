"""The one seam to the shell analysis: build its scene from ours, and read its answer as a verdict."""

from dataclasses import replace

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import PartDecision

from .book import guarded_globs
from .explain import place
from .files import PathScene, Verdict, judge
from .shell.types import Access, ShellScene, ShellVerdict
from .suggest import path_rule


def judge_command(tool_input: JsonObject, scene: PathScene, trusted: bool) -> tuple[Verdict, ShellVerdict | None]:
    """Decide about a Bash call by its command line. Never raises."""
    command = tool_input.get("command")
    if not isinstance(command, str):
        return Verdict("ask", "opaque", "The call has no command to look at", waivable=False), None
    from .shell.evaluate import evaluate  # the parser is loaded with the first command

    found = evaluate(command, shell_scene(scene, trusted))
    verdict = Verdict(
        found.outcome,
        found.decided_by,
        found.reason if found.rule is None else f"{found.reason} ({place(found.rule.source)})",
        found.rule,
        found.trials,
        found.warnings,
        found.waivable,
        found.suggestions,
    )
    return verdict, found


def shell_scene(scene: PathScene, trusted: bool) -> ShellScene:
    """What the shell analysis needs to know of this moment."""

    def path_check(path: str, access: Access) -> PartDecision:
        seen = replace(scene, mode="acceptEdits") if access == "covered_write" and scene.mode == "default" else scene
        verdict = judge(path, "read" if access == "read" else "write", seen)
        outcome = verdict.outcome
        if outcome == "deny" and verdict.decided_by == "mode":
            outcome = "ask"  # plan mode asks about commands; it blocks only the file tools
        return PartDecision(text=path, outcome=outcome, reason=verdict.reason)

    book = scene.book
    return ShellScene(
        mode=scene.mode,
        cwd=scene.ground.cwd,
        home=scene.ground.home,
        path_check=path_check,
        facts=scene.facts,
        allow=book.bash_rules("allow"),
        ask=book.bash_rules("ask"),
        deny=book.bash_rules("deny"),
        roots=scene.roots,
        guarded=guarded_globs((*scene.rules("deny"), *scene.rules("ask"))),
        trusted=trusted,
        path_suggestion=lambda path, access: path_rule(path, access, scene),
    )
