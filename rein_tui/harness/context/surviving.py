"""What a compaction does not leave to the summary: the to-do list, the plan that was approved, skills in use, and which
files were at hand. A fold of facts; the memory files are read anew elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from ..protocol.displays import TextDisplay
from ..protocol.events import Fact, FileChanged, PromptAdded, Rewound, TodosChanged, ToolCallFinished, ToolCallStarted
from ..protocol.messages import TextBlock

SKILL_TOKENS, ALL_SKILLS_TOKENS = 5000, 25_000
_SHARE = 0.1
"""Of a window, what all skills together may take of it again."""
_FILES = 12
_CUT = "\n[… cut]"
_CHARACTERS_A_TOKEN = 3.6
_SKILL_HEAD = "A skill that is in use in this session, as it was loaded before the conversation was summarised"


@dataclass(slots=True)
class Survivors:
    """Feed it every fact of the session. `is_skill` says whether a name is a skill that stays in the conversation."""

    is_skill: Callable[[str], bool] = lambda name: False
    _calls: dict[str, ToolCallStarted] = field(default_factory=dict[str, ToolCallStarted])
    _skills: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    _files: dict[str, int] = field(default_factory=dict[str, int])
    _plan: tuple[int, str] = (0, "")
    _todos: tuple[int, str] = (0, "")

    def note(self, fact: Fact) -> None:
        """Take one more fact into account."""
        if fact.parent:
            return
        match fact:
            case ToolCallStarted(name="Skill" | "ExitPlanMode" | "Read"):
                self._calls[fact.call_id] = fact
            case ToolCallFinished():
                call = self._calls.pop(fact.call_id, None)
                if call is not None and fact.outcome == "ok":
                    self._called(call, fact)
            case PromptAdded(origin="prompt") if fact.source and self.is_skill(fact.source):
                words = [block.text for block in fact.message.blocks[1:] if isinstance(block, TextBlock)]
                self._use(fact.source, fact.turn, "\n\n".join(words))
            case FileChanged():
                self._touch(fact.path, fact.turn)
            case TodosChanged():
                lines = [f"- [{todo.status}] {todo.content}" for todo in fact.todos]
                is_open = any(todo.status != "completed" for todo in fact.todos)
                self._todos = (fact.turn, "\n".join(lines) if is_open else "")
            case Rewound(conversation=True):
                self._rewind(fact.to_turn)
            case _:
                pass

    def texts(self, window: int) -> list[tuple[str, str]]:
        """(source, text) of what the model is told again, for a window of so many tokens."""
        told: list[tuple[str, str]] = []
        if self._plan[1]:
            told.append(("plan", f"The plan that the person approved:\n{_cut(self._plan[1], SKILL_TOKENS)}"))
        if self._todos[1]:
            told.append(("to-do list", f"The to-do list as it stands:\n{self._todos[1]}"))
        if self._files:
            names = "\n".join(list(reversed(self._files))[:_FILES])
            told.append(("files", f"Files that were read or changed last, the newest first; read them again:\n{names}"))
        return [*told, *self._in_use(min(ALL_SKILLS_TOKENS, round(window * _SHARE)))]

    def _in_use(self, room: int) -> list[tuple[str, str]]:
        """The skills, newest first, as far as they fit."""
        told: list[tuple[str, str]] = []
        for name, (_, text) in reversed(self._skills.items()):
            body = _cut(text, min(SKILL_TOKENS, room))
            room -= round(len(body) / _CHARACTERS_A_TOKEN)
            if room < 0 or not body:
                break
            told.append((f"skill {name}", f"{_SKILL_HEAD} ({name}):\n{body}"))
        return told

    def _called(self, call: ToolCallStarted, done: ToolCallFinished) -> None:
        if call.name == "Read":
            self._touch(str(call.input.get("file_path", "")), call.turn)
        elif call.name == "ExitPlanMode":
            self._plan = (call.turn, str(call.input.get("plan", "")).strip())
        elif isinstance(done.content, str):
            name = str(call.input.get("skill", "")).removeprefix("/")
            known = self._skills.get(name)
            # Loaded once more, unchanged, it is only said to be there.
            is_again = isinstance(done.display, TextDisplay) and done.display.text not in done.content
            if self.is_skill(name):
                self._use(name, call.turn, known[1] if known is not None and is_again else done.content)

    def _use(self, name: str, turn: int, text: str) -> None:
        self._skills.pop(name, None)
        self._skills[name] = (turn, text)

    def _touch(self, path: str, turn: int) -> None:
        self._files.pop(path, None)
        self._files[path] = turn

    def _rewind(self, to_turn: int) -> None:
        self._skills = {name: used for name, used in self._skills.items() if used[0] <= to_turn}
        self._files = {path: turn for path, turn in self._files.items() if turn <= to_turn}
        self._plan = self._plan if self._plan[0] <= to_turn else (0, "")
        self._todos = self._todos if self._todos[0] <= to_turn else (0, "")


def _cut(text: str, tokens: int) -> str:
    longest = int(tokens * _CHARACTERS_A_TOKEN)
    return text if len(text) <= longest else f"{text[: max(longest - len(_CUT), 0)]}{_CUT}"
