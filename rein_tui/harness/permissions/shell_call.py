"""The one seam to the shell analysis: build its scene from ours, and read its answer as a verdict."""

from dataclasses import replace

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import PartDecision

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

    paths = _Paths(scene)
    found = evaluate(command, _shell_scene(scene, trusted, paths))
    verdict = Verdict(
        found.outcome,
        found.decided_by,
        found.reason,
        found.rule,
        found.trials,
        found.warnings,
        found.waivable,
        found.suggestions,
        found.exact,
        found.exact_lasts,
    )
    if found.rule is not None:
        return replace(verdict, reason=f"{found.reason} ({place(found.rule.source)})"), found
    culprit = paths.culprit(found)
    if culprit is not None:
        tried = tuple(trial for trial in culprit.trials if trial.matched)
        verdict = replace(verdict, rule=culprit.rule, trials=(*found.trials, *tried))
    return verdict, found


class _Paths:
    """Judges the paths of one command line, and remembers which rule decided about them."""

    def __init__(self, scene: PathScene) -> None:
        self._scene = scene
        self._judged: list[Verdict] = []

    def check(self, path: str, access: Access) -> PartDecision:
        """Judge one path as the shell analysis wants it."""
        scene = self._scene
        if access == "covered_write" and scene.mode == "default":
            scene = replace(scene, mode="acceptEdits")
        verdict = judge(path, "read" if access == "read" else "write", scene)
        self._judged.append(verdict)
        outcome = verdict.outcome
        if outcome == "deny" and verdict.decided_by == "mode":
            outcome = "ask"  # plan mode asks about commands; it blocks only the file tools
        return PartDecision(text=path, outcome=outcome, reason=verdict.reason)

    def culprit(self, found: ShellVerdict) -> Verdict | None:
        """The judgement of a path by a rule that decided about the line."""
        if found.decided_by != "rule" or found.outcome == "allow":
            return None
        return next((one for one in self._judged if one.rule is not None and one.outcome == found.outcome), None)


def _shell_scene(scene: PathScene, trusted: bool, paths: _Paths) -> ShellScene:
    book = scene.book
    return ShellScene(
        mode=scene.mode,
        cwd=scene.ground.cwd,
        home=scene.ground.home,
        path_check=paths.check,
        facts=scene.facts,
        allow=book.bash_rules("allow"),
        ask=book.bash_rules("ask"),
        deny=book.bash_rules("deny"),
        roots=scene.roots,
        guarded=scene.path_rules.guarded,
        trusted=trusted,
        path_suggestion=lambda path, access: path_rule(path, access, scene),
    )
