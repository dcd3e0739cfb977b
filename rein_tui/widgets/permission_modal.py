"""The permission question: what will happen, why it asks, and the answers once, session, no, stop.

A first form: the trace, rule editing and batches come on top of it.
"""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from rein_tui.harness.protocol.decisions import Answer, PermissionReply, PermissionRequest
from rein_tui.harness.protocol.displays import CommandDisplay, DiffDisplay, Display

from .modal import Modal
from .safe import safe_content, safe_text


class PermissionModal(Modal[PermissionReply]):
    """Answers with the person's reply; Esc denies and stops the turn."""

    FIRST = "VerticalScroll"

    DEFAULT_CSS = """
    PermissionModal {
        align: center bottom;
        & > .frame { margin-bottom: 4; border: round $accent; }
        & VerticalScroll { height: auto; max-height: 24; }
        & .why { color: $text-muted; margin-top: 1; }
        & .answers { margin-top: 1; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y,1", "answer('once')", "Yes, once"),
        Binding("s,2", "answer('session')", "Yes, this session"),
        Binding("n,4", "answer('deny')", "No"),
        Binding("escape", "answer('stop')", "No, and stop"),
    ]

    def __init__(self, request: PermissionRequest, *, grace: float = 0.0) -> None:
        super().__init__(grace=grace)
        self._request = request

    def compose(self) -> ComposeResult:
        request = self._request
        with Vertical(classes="frame") as frame:
            frame.border_title = Content(safe_text(f"{request.tool} wants to run", "label"))
            with VerticalScroll():
                yield Static(safe_content(request.summary, "prompt", "bold $text"))
                preview = _preview(request.preview)
                if preview is not None:
                    yield Static(preview)
                for warning in (*request.warnings, *request.decision.warnings):
                    yield Static(safe_content(f"⚠ {warning}", "prompt", "$text-warning"))
            yield Static(self._why(), classes="why")
            yield Static(self._answers(), classes="answers")

    def _why(self) -> Content:
        decision = self._request.decision
        source = decision.source or (decision.rule.source if decision.rule else None)
        where = f" · {source}" if source is not None else ""
        return safe_content(f"{decision.reason}{where}", "prompt")

    def _answers(self) -> Content:
        rules = self._session_rules()
        session = f"this session: {', '.join(rules)}" if rules else ""
        answers = [("y", "once"), ("s", session), ("n", "no"), ("esc", "no, and stop")]
        parts = [Content.assemble((f" {k} ", "bold $primary"), safe_text(w, "prompt")) for k, w in answers if w]
        return Content("   ").join(parts)

    def _session_rules(self) -> tuple[str, ...]:
        suggestions = self._request.decision.suggestions
        return suggestions[0].rules if suggestions else ()

    def action_answer(self, answer: Answer) -> None:
        """Answer and close."""
        rules = self._session_rules() if answer == "session" else ()
        if answer != "session" or rules:
            self.dismiss(PermissionReply(answer=answer, rules=rules))


def _preview(display: Display | None) -> Content | None:
    if isinstance(display, CommandDisplay):
        return safe_content(f"$ {display.command}", "prompt")
    if isinstance(display, DiffDisplay):
        styles = {"+": "$text-success", "-": "$text-error"}
        lines = [line for hunk in display.hunks for line in hunk.lines]
        return Content("\n").join(safe_content(line, "diff", styles.get(line[:1], "")) for line in lines)
    return None
