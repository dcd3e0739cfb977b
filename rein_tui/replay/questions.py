"""Questions of a recording, as they were asked: one may look at them, and the recorded answer is marked."""

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import OptionList

from rein_tui.harness.protocol.decisions import PermissionReply, PermissionRequest, QuestionReply, QuestionRequest
from rein_tui.replay.tape import Asked
from rein_tui.widgets.figures import elapsed
from rein_tui.widgets.later import after_refresh
from rein_tui.widgets.permission_modal import CHOICES, PermissionModal
from rein_tui.widgets.permission_modal_parts import Docket
from rein_tui.widgets.question_modal import QuestionModal
from rein_tui.widgets.safe import safe_text
from rein_tui.widgets.scrubber import Scrubber

_KEYS: tuple[tuple[str, str, str, str], ...] = (
    ("space", "play", "Play, pause", "play"),
    ("right", "step(1)", "Next step", "next_step"),
    ("left", "step(-1)", "Step back", "previous_step"),
    ("right_square_bracket", "call(1)", "Next call", "next_call"),
    ("left_square_bracket", "call(-1)", "Call before", "previous_call"),
    ("right_curly_bracket", "turn(1)", "Next turn", "next_turn"),
    ("left_curly_bracket", "turn(-1)", "Turn before", "previous_turn"),
    ("plus,equals_sign", "faster(1)", "Faster", "faster"),
    ("minus", "faster(-1)", "Slower", "slower"),
    ("home", "ends(False)", "To the start", "start"),
    ("end", "ends(True)", "To the end", "end"),
    ("q", "quit_replay", "Leave", "leave"),
)

PLAYER: list[BindingType] = [
    Binding(keys, f"app.{action}", words, show=False, id=f"replay.{name}") for keys, action, words, name in _KEYS
]

HIDING: list[BindingType] = [*PLAYER, Binding("escape", "app.hide_question", "Hide", show=False)]


class ReplayedPermission(PermissionModal):
    """A permission question as it was; keys play, the recorded answer is marked."""

    FIRST = ""
    ESC = "hide"
    BINDINGS: ClassVar[list[BindingType]] = HIDING

    def __init__(self, request: PermissionRequest, asked: Asked, scrubber: Scrubber, folder: str = "") -> None:
        super().__init__(request, docket=Docket(folder=folder))
        self._asked = asked
        self._scrubber = scrubber

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield self._scrubber

    def on_mount(self) -> None:
        """Mark the answer, after the question was drawn."""
        after_refresh(self, self._mark)

    def _mark(self) -> None:
        if not self.is_running:  # it was withdrawn already
            return
        reply = self._asked.reply
        answer = reply.answer if isinstance(reply, PermissionReply) else ""
        answers = self.query_one(OptionList)
        for number, choice in enumerate(CHOICES):
            prompt = answers.get_option_at_index(number).prompt
            if choice == answer and isinstance(prompt, Content):
                answers.replace_option_prompt_at_index(number, prompt.stylize("bold $text on $primary 40%"))
        answers.highlighted = None
        answers.disabled = True
        self.query_one(".frame").border_subtitle = Content(answer_line(self._asked))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """One may look, but not answer."""
        return action in ("trace", "full", "split", "line", "page", "ends")

    def more_keys(self) -> Iterator[tuple[str, str]]:
        """Those that play."""
        yield "space", "play"
        yield "→", "next step"


class ReplayedQuestion(QuestionModal):
    """A tool's question as it was."""

    FIRST = ""
    BINDINGS: ClassVar[list[BindingType]] = HIDING

    def __init__(self, request: QuestionRequest, asked: Asked, scrubber: Scrubber) -> None:
        super().__init__(request)
        self._asked = asked
        self._scrubber = scrubber

    def compose(self) -> ComposeResult:
        yield from super().compose()
        yield self._scrubber

    def on_mount(self) -> None:
        """Say the answer."""
        for widget in self.query("OptionList, Input"):
            widget.disabled = True
        self.query_one(".frame").border_subtitle = Content(answer_line(self._asked))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """It was answered."""
        return False


def answer_line(asked: Asked) -> str:
    """The recorded answer in a few words."""
    reply = asked.reply
    if reply is None:
        return "recorded: no answer"
    if isinstance(reply, QuestionReply):
        no_answer = "no" if reply.declined else "no answer"
        said = no_answer if reply.cancelled or reply.declined else ", ".join(reply.answers.values())
    else:
        names = {"once": "yes, once", "session": "yes, this session", "always": "always", "stop": "no, and stop"}
        said = names.get(reply.answer, "no") + (f" · {', '.join(reply.rules)}" if reply.rules else "")
        said += f" · “{reply.words}”" if reply.words else ""
    return safe_text(f"recorded: {said}, after {elapsed(asked.waited)}", "label")
