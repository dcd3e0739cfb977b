"""Events to blocks: the whole story of a chat as a fold.

`apply` takes one event and says which blocks came, changed or went; the tree of blocks is the chat. Live events and
stored facts go through the same fold, and deltas only ever change what a later fact settles, so that a session that
is opened again looks as it did.
"""

from collections.abc import Callable
from typing import Any

from rein_tui.harness.protocol import events as ev
from rein_tui.harness.protocol.messages import ImageBlock, Message, TextBlock
from rein_tui.harness.protocol.messages import ThinkingBlock as Thinking

from . import chat_notes as notes
from .chat_blocks import BoundaryBlock, ChatBlock, Look, PromptBlock, ProseBlock, ThinkingBlock, TodoBlock
from .chat_card import CardBlock, LiveTail, Run, RunBlock
from .chat_tree import Change, ChatTree
from .displays import content_text


class ChatFold(ChatTree):
    """The state of the fold: the roots of the tree, and what is open in it."""

    def __init__(self, look: Look) -> None:
        super().__init__()
        self.look = look
        self.turns: dict[int, ChatBlock] = {}
        self._open: dict[str, list[ProseBlock | ThinkingBlock]] = {}
        self._preparing: dict[str, dict[str, CardBlock]] = {}
        self._todos: TodoBlock | None = None
        self._tasks: dict[str, str] = {}
        self._requests: dict[str, CardBlock] = {}
        self._handlers: dict[type, Callable[[Any], None]] = {
            ev.TurnStarted: self._turn_started,
            ev.PromptAdded: self._prompt_added,
            ev.TextDelta: self._text,
            ev.ThinkingDelta: self._thinking,
            ev.ToolInputDelta: self._input,
            ev.MessageFinished: self._message,
            ev.StepFinished: self._step_finished,
            ev.ToolCallRequested: self._requested,
            ev.PermissionDecided: self._decided,
            ev.PermissionRequested: self._asked,
            ev.PermissionResolved: self._answered,
            ev.ToolCallStarted: self._started,
            ev.ToolOutputDelta: self._output,
            ev.ProgressDelta: self._progress,
            ev.ToolCallFinished: self._finished,
            ev.TodosChanged: self._todos_changed,
            ev.HookFired: self._hook,
            ev.Rewound: self._rewound,
            ev.SessionStarted: self._session,
            ev.TurnFinished: self._turn_ended,
            ev.TurnInterrupted: self._turn_ended,
            ev.TurnFailed: self._turn_ended,
            ev.BackgroundStarted: self._background,
        }

    def forget(self) -> None:
        """Let go of all blocks, and of itself."""
        super().forget()
        self._handlers.clear()

    def apply(self, event: ev.Event) -> list[Change]:
        """Fold one event in; what changed, in order."""
        self.changes = []
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)
        else:
            for block in notes.blocks_for(event, self.look, self._tasks):
                self.add(block, event.parent)
        return self.changes

    # --- turns and messages ---------------------------------------------------------------------------------

    def _turn_started(self, event: ev.TurnStarted) -> None:
        mark = "" if event.by == "person" else event.by
        block = PromptBlock(self.look, event.turn, event.text, mark)
        self.turns[event.turn] = block
        self.add(block, event.parent)

    def _prompt_added(self, event: ev.PromptAdded) -> None:
        if event.origin == "prompt":
            chips = [f"[{b.name or 'image'}]" for b in event.message.blocks if isinstance(b, ImageBlock)]
            block = self.turns.get(event.turn)
            if chips and isinstance(block, PromptBlock):
                block.chips = chips
                self.touch(block)
        elif event.origin in {"steer", "background"}:  # of a shell line, its card says all
            self.add(PromptBlock(self.look, event.turn, event.message.text, event.origin), event.parent)

    def _text(self, event: ev.TextDelta) -> None:
        block = self._growing(event, ProseBlock)
        block.markdown.feed(event.text)
        self.touch(block)

    def _thinking(self, event: ev.ThinkingDelta) -> None:
        block = self._growing(event, ThinkingBlock)
        block.feed(event.text)
        self.touch(block)

    def _growing(self, event: ev.TextDelta | ev.ThinkingDelta, kind: type[Any]) -> Any:
        """The open block of this kind, begun now if the last one was of the other kind."""
        blocks = self._open.setdefault(event.parent, [])
        if not blocks or not isinstance(blocks[-1], kind):
            block = kind(self.look, event.turn)
            self.add(block, event.parent)
            blocks.append(block)
        return blocks[-1]

    def _message(self, event: ev.MessageFinished) -> None:
        """The settled message takes the place of what was drawn while it came."""
        opened = self._open.pop(event.parent, [])
        for card in self._preparing.pop(event.parent, {}).values():
            self.remove(card)
        wanted = _settled(event.message)
        siblings = self.siblings(event.parent)
        if [(type(b), b.source) for b in opened] == wanted and siblings[-len(opened) or len(siblings) :] == opened:
            for block in opened:
                self._close(block)
            return
        for block in opened:
            self.remove(block)
        for kind, text in wanted:
            block = kind(self.look, event.turn)
            self.add(block, event.parent)
            block.markdown.feed(text) if isinstance(block, ProseBlock) else block.feed(text)
            self._close(block)

    def _close(self, block: ProseBlock | ThinkingBlock) -> None:
        if isinstance(block, ProseBlock):
            block.markdown.finish()
        else:
            block.is_open = False
        self.touch(block)

    def _step_finished(self, event: ev.StepFinished) -> None:
        """A step without a message (it failed or was stopped): what was drawn of it goes."""
        for block in [*self._open.pop(event.parent, []), *self._preparing.pop(event.parent, {}).values()]:
            self.remove(block)

    def _turn_ended(self, event: ev.TurnEnd) -> None:
        for block in notes.blocks_for(event, self.look, self._tasks):
            self.add(block, event.parent)

    # --- calls ----------------------------------------------------------------------------------------------

    def _input(self, event: ev.ToolInputDelta) -> None:
        preparing = self._preparing.setdefault(event.parent, {})
        if event.call_id not in preparing:
            card = CardBlock(self.look, event.turn, event.call_id, event.name, event.name, Run())
            card.state = "preparing"
            preparing[event.call_id] = card
            self.add(card, event.parent)

    def _requested(self, event: ev.ToolCallRequested) -> None:
        siblings = self.siblings(event.parent)
        last = siblings[-1] if siblings else None
        if isinstance(last, CardBlock):
            run = last.run
        else:
            run = Run()
            self.add(RunBlock(self.look, event.turn, run), event.parent)
        run.cards.append(card := CardBlock(self.look, event.turn, event.call_id, event.name, event.summary, run))
        self.cards[event.call_id] = card
        self.add(card, event.parent)

    def _decided(self, event: ev.PermissionDecided) -> None:
        card = self.cards.get(event.call_id)
        if card is None:
            return
        decision = event.decision
        if decision.outcome == "deny":
            card.provenance = notes.reason_in_short(decision)
        elif decision.outcome == "allow" and decision.decided_by == "rule" and not card.provenance:
            card.rule = notes.reason_in_short(decision)
        self.touch(card)

    def _asked(self, event: ev.PermissionRequested) -> None:
        card = self.cards.get(event.request.call_id)
        if card is not None:
            card.state = "asking"
            self.touch(card)

    def _answered(self, event: ev.PermissionResolved) -> None:
        card = self.cards.get(event.call_id)
        if card is not None:
            card.state = "requested"
            card.provenance = notes.answer_in_short(event.reply)
            self.touch(card)

    def _started(self, event: ev.ToolCallStarted) -> None:
        card = self.cards.get(event.call_id)
        if card is not None:
            card.state = "running"
            card.edited_by = event.edited_by
            self.touch(card)

    def _output(self, event: ev.ToolOutputDelta) -> None:
        card = self.cards.get(event.call_id)
        if card is not None and card.state == "running":
            card.tail = card.tail or LiveTail()
            card.tail.feed(event.text)
            self.touch(card)

    def _progress(self, event: ev.ProgressDelta) -> None:
        card = self.cards.get(event.call_id)
        if card is not None:
            part = f"{event.done:,.0f} of {event.total:,.0f}" if event.total else f"{event.done:,.0f}"
            card.progress = event.text or part
            self.touch(card)

    def _finished(self, event: ev.ToolCallFinished) -> None:
        card = self.cards.get(event.call_id)
        if card is None:
            return
        card.state = event.outcome
        card.duration = event.duration
        card.display = event.display
        card.result = content_text(event.content)
        card.added = event.added
        card.tail = None
        self.touch(card.run.block)
        for other in card.run.cards if self.look.density == "grouped" else [card]:
            for block in other.walk():
                self.touch(block)

    def _todos_changed(self, event: ev.TodosChanged) -> None:
        if self._todos is not None and self._todos.turn == event.turn:
            self.remove(self._todos)
        self._todos = TodoBlock(self.look, event.turn, event.todos)
        self.add(self._todos, "")

    # --- around them ----------------------------------------------------------------------------------------

    def _hook(self, event: ev.HookFired) -> None:
        for block in notes.blocks_for(event, self.look, self._tasks):
            self.add(block, event.call_id if event.call_id in self.cards else event.parent)

    def _background(self, event: ev.BackgroundStarted) -> None:
        self._tasks[event.task_id] = event.title
        for block in notes.blocks_for(event, self.look, self._tasks):
            self.add(block, event.parent)

    def _session(self, event: ev.SessionStarted) -> None:
        self.look.cwd = event.cwd
        if event.source in {"clear", "compact", "fork"} and self.roots:
            self.add(BoundaryBlock(self.look, event.turn, f"session: {event.source}"), event.parent)

    def _rewound(self, event: ev.Rewound) -> None:
        boundary = notes.rewind_boundary(event, self.look)
        if event.conversation:
            for block in self.walk():
                if block.turn > event.to_turn and block.rewound_by is None:
                    block.rewound_by = boundary
                    self.touch(block)
        self.add(boundary, event.parent)


def _settled(message: Message) -> list[tuple[type[ProseBlock] | type[ThinkingBlock], str]]:
    """Prose and thinking of a message in order, neighbours of one kind joined as the deltas join them."""
    found: list[tuple[type[ProseBlock] | type[ThinkingBlock], str]] = []
    for block in message.blocks:
        if isinstance(block, TextBlock) and block.text:
            kind, text = ProseBlock, block.text
        elif isinstance(block, Thinking) and block.thinking:
            kind, text = ThinkingBlock, block.thinking
        else:
            continue
        if found and found[-1][0] is kind:
            found[-1] = kind, found[-1][1] + text
        else:
            found.append((kind, text))
    return found
