"""The Why page: the decision in one sentence, then every reason: rule, parts, trials, hooks, the person's answer."""

from collections.abc import Iterator, Sequence

from textual.content import Content

from rein_tui.harness.protocol.decisions import Decision, HookVerdict, Outcome, PartDecision, RuleTrial, Source
from rein_tui.harness.protocol.events import PermissionResolved

from .block import Block
from .figures import short_duration
from .inspector_records import CallRecord
from .lines import Piece
from .passages import Passage, facts_table, heading, muted, prose
from .safe import safe_content, safe_text

OUTCOME_STYLES: dict[Outcome, str] = {
    "allow": "$text-success",
    "ask": "$text-warning",
    "deny": "$text-error",
}
_LAYERS = {"command_line": "command line", "builtin": "built in"}
_BY = {
    "rule": "a rule",
    "hook": "a hook",
    "mode": "the permission mode",
    "read_only": "it only reads",
    "working_directory": "where it works",
    "protected_path": "a protected path",
    "critical_path": "a critical path",
    "opaque": "it cannot be fully understood",
    "trust": "the folder is not trusted",
    "settings_locked": "settings that could not be read",
    "sandbox": "the sandbox that it runs in",
    "tool": "the tool itself",
    "repair": "the call was repaired",
    "default": "nothing else decided",
    "person": "you",
    "unattended": "nobody could be asked",
}


def why_blocks(call: CallRecord) -> Iterator[Block]:
    """All reasons of one call."""
    if not call.decisions:
        words = "This call was never decided: its input was invalid." if call.finished else "Not decided yet."
        yield muted(words)
        return
    for number, decided in enumerate(call.decisions):
        if number:
            yield heading("decided again", "the input had changed, or somebody answered meanwhile")
        yield from decision_blocks(decided.decision, call.cwd)
    if call.resolved is not None:
        yield heading("your answer" if call.resolved.reply.answered_by == "person" else "the answer")
        yield _answer(call.resolved)
    elif call.asked is not None:
        yield heading("your answer")
        yield muted("withdrawn" if call.finished is not None else "not given yet")


def decision_blocks(decision: Decision, cwd: str = "") -> Iterator[Block]:
    """One decision with its reasons; files below `cwd` are named from there."""
    sentence = Content.assemble(
        (decision.outcome, f"bold {OUTCOME_STYLES[decision.outcome]}"),
        "  ",
        reason_content(_near(decision.reason, cwd), decision),
    )
    yield Passage(lambda _: [Piece(sentence)], f"{decision.outcome}: {decision.reason}")
    rule, source = decision.rule, decision.source or (decision.rule.source if decision.rule else None)
    yield facts_table(
        [
            ("decided by", _BY.get(decision.decided_by, decision.decided_by)),
            ("rule", safe_text(f"{rule.behavior}  {rule.text}", "prompt") if rule else ""),
            ("layer", _LAYERS.get(source.layer, source.layer) if source else ""),
            ("written in", _near(str(source), cwd) if source and source.path else ""),
            ("mode", decision.mode),
        ]
    )
    for warning in decision.warnings:
        yield prose(f"! {warning}", "$text-warning")
    if len(decision.parts) > 1 or any(part.reason != decision.reason for part in decision.parts):
        several = f"{len(decision.parts)} looked at, the strictest decides" if len(decision.parts) > 1 else ""
        yield heading("parts", several)
        yield _parts(decision.parts, cwd)
    if decision.hook_verdicts:
        yield heading("hooks")
        yield _verdicts(decision.hook_verdicts, cwd)
    matched = sum(trial.matched for trial in decision.trials)
    yield heading("rules tried", f"{len(decision.trials)}, {matched or 'none'} matched" if decision.trials else "")
    yield _trials(decision.trials, cwd) if decision.trials else muted("no rule names this tool")
    if decision.suggestions:
        yield heading("rules that would let it pass")
        yield facts_table([(", ".join(s.rules), s.label) for s in decision.suggestions])


def reason_content(words: str, decision: Decision, style: str = "") -> Content:
    """A reason as one line, so that no file name can add a line of its own to it; what a hook wrote keeps its lines."""
    return safe_content(words, "prompt" if decision.decided_by == "hook" else "path", style)


def _outcome(outcome: Outcome) -> Content:
    return Content.styled(f"{outcome:<5} ", OUTCOME_STYLES[outcome])


def _parts(parts: Sequence[PartDecision], cwd: str) -> Block:
    pieces: list[Piece] = []
    for part in parts:
        text = safe_content(_near(part.text, cwd), "path", "bold")
        pieces.append(Piece(text, _outcome(part.outcome), Content(" " * 6)))
        pieces.append(
            Piece(safe_content(_near(part.reason, cwd), "path", "$text-muted"), Content(" " * 6), Content(" " * 6))
        )
    return Passage(lambda _: pieces, "\n".join(f"{p.outcome} {p.text}: {p.reason}" for p in parts))


def _verdicts(verdicts: Sequence[HookVerdict], cwd: str) -> Block:
    pieces: list[Piece] = []
    for verdict in verdicts:
        words = verdict.reason or "no reason given"
        broken = Content.styled("broken  ", "$text-error") if verdict.broken else Content("")
        pieces.append(Piece(broken + safe_content(words, "path"), _outcome(verdict.outcome), Content(" " * 6)))
        pieces.append(_where(verdict.source, cwd))
    return Passage(lambda _: pieces, "\n".join(f"{v.outcome} {v.reason} ({v.source})" for v in verdicts))


def _trials(trials: Sequence[RuleTrial], cwd: str) -> Block:
    """The deciding one marked, those that matched bright, the others dim."""
    pieces: list[Piece] = []
    parts = {trial.part for trial in trials}
    for trial in sorted(trials, key=lambda t: (not t.decided, not t.matched)):
        glyph = "▶" if trial.decided else "✓" if trial.matched else "·"
        style = "" if trial.matched else "$text-muted"
        mark = Content.styled(f"{glyph} ", OUTCOME_STYLES[trial.rule.behavior] if trial.matched else "$text-disabled")
        name = Content.assemble(
            (f"{trial.rule.behavior} ", OUTCOME_STYLES[trial.rule.behavior] if trial.matched else "$text-muted"),
            safe_content(trial.rule.text, "path", f"bold {style}" if trial.decided else style),
        )
        pieces.append(Piece(name, mark, Content("  ")))
        part = f" · {trial.part}" if trial.part and len(parts) > 1 else ""
        words = safe_content(_near(f"{trial.reason}{part}", cwd), "path", "$text-muted")
        pieces.append(Piece(words, Content("    "), Content("    ")))
        pieces.append(_where(trial.rule.source, cwd))
    source = "\n".join(f"{t.rule.behavior} {t.rule.text}: {t.reason} ({t.rule.source})" for t in trials)
    return Passage(lambda _: pieces, source)


def _near(text: str, cwd: str) -> str:
    """Files below `cwd` named from there."""
    return text.replace(f"{cwd}/", "") if cwd else text


def _where(source: Source, cwd: str) -> Piece:
    layer = _LAYERS.get(source.layer, source.layer)
    words = Content.assemble(
        (layer, "$text-secondary"),
        "  ",
        safe_content(_near(str(source), cwd) if source.path else "", "path", "$text-disabled"),
    )
    return Piece(words.rstrip(), Content("    "), Content("    "), "fold")


def _answer(resolved: PermissionResolved) -> Block:
    reply = resolved.reply
    style = "$text-error" if reply.answer in {"deny", "stop"} else "$text-success"
    scope = f" · kept for the {reply.scope}" if reply.rules else ""
    return facts_table(
        [
            ("answer", Content.assemble((reply.answer, style), safe_content(scope, "label", "$text-muted"))),
            ("after", short_duration(resolved.waited)),
            ("by", "" if reply.answered_by == "person" else reply.answered_by),
            ("rules", "\n".join(reply.rules)),
            ("words", reply.words),
            ("input", "edited, see Input" if reply.input is not None else ""),
            ("hooks", f"{len(reply.ignore_hooks)} ignored from here on" if reply.ignore_hooks else ""),
        ]
    )
