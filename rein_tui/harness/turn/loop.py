"""The loop: ask the model, run what it calls, until it comes to rest.

It knows one turn of one story, the session's or a subagent's, and tells it as events. It stores nothing: whoever
pulls the generator has recorded an event by the time that the loop goes on.
"""

from collections import deque
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Literal, Protocol

from ..protocol.errors import ProviderError
from ..protocol.events import (
    ContextPrepared,
    Event,
    MessageFinished,
    Notice,
    Origin,
    PromptAdded,
    StepFinished,
    StepStarted,
    TurnEndReason,
)
from ..protocol.hooks import HookCall, HookOutcome
from ..protocol.messages import Message, TextBlock, Usage
from ..protocol.models import Completed, ModelRequest
from .answers import Answers
from .conversation import Conversation
from .gate import Gate
from .guards import Advice, Guards
from .interrupt import Interrupted
from .moments import fired
from .parts import Parts


class Compactor(Protocol):
    """Makes room in the window; see harness/turn/compaction.py."""

    def is_due(self, conversation: Conversation, usage: Usage) -> bool:
        """Whether the next request would come too close to the window's end."""
        ...

    def compact(
        self,
        conversation: Conversation,
        parts: Parts,
        trigger: Literal["manual", "auto"],
        focus: str = "",
        from_turn: int = 0,
    ) -> AsyncGenerator[Event]:
        """Summarise all, or this turn and later ones; yields facts, Compacted among them when it worked.

        Raises ProviderError, Interrupted.
        """
        ...


@dataclass(slots=True)
class Progress:
    """How far a turn is; the session reads it for the turn's last fact."""

    steps: int = 0
    usage: Usage = field(default_factory=Usage)
    last_usage: Usage = field(default_factory=Usage)
    reason: TurnEndReason = "end_turn"
    detail: str = ""
    last_text: str = ""


class Loop:
    """One turn. `context` gives system prompt and tools as of now; `steering` holds what the person said meanwhile."""

    def __init__(
        self,
        parts: Parts,
        conversation: Conversation,
        context: Callable[[], ContextPrepared],
        steering: deque[str],
        compactor: Compactor | None = None,
    ) -> None:
        self._parts = parts
        self._conversation = conversation
        self._context = context
        self._prepared: ContextPrepared | None = None
        self._steering = steering
        self._compactor = compactor
        self._stop_blocks = 0
        self._answers = Answers(parts)
        self._has_made_room = False
        self._failed_steps = 0
        self._guards = Guards()
        self.progress = Progress()

    async def run(self, prepared: ContextPrepared | None = None) -> AsyncGenerator[Event]:
        """Steps until rest. Raises Interrupted and ProviderError after the story is closed."""
        self._prepared = prepared
        go_on = True
        while go_on:
            if 0 < self._parts.max_steps <= self.progress.steps - self._failed_steps:
                self.progress.reason = "max_turns"
                self.progress.detail = f"the limit of steps ({self._parts.max_steps}) is reached"
                return
            self._parts.interrupt.check()
            async with aclosing(self._make_room()) as events:
                async for event in events:
                    yield event
            self.progress.steps += 1
            try:
                async with aclosing(self._step(self.progress.steps)) as events:
                    async for event in events:
                        yield event
            except ProviderError as error:
                if (stand_in := self._answers.stand_in(error)) is not None:
                    self._failed_steps += 1
                    yield stand_in
                    continue
                is_big = error.status == 413  # too many bytes, and a summary would send them all once more
                if error.kind != "too_long" or is_big or self._compactor is None or self._has_made_room:
                    raise
                self._has_made_room = True
                async with aclosing(self._compactor.compact(self._conversation, self._parts, "auto")) as events:
                    async for event in events:
                        yield event
                continue
            go_on = self._has_calls() and self.progress.reason == "end_turn"
            async with aclosing(self._between_steps()) as events:
                async for event in events:
                    go_on = go_on or isinstance(event, PromptAdded)
                    yield event
            go_on = go_on and self.progress.reason == "end_turn"

    def _has_calls(self) -> bool:
        completed = self._answers.completed
        return completed is not None and (bool(completed.message.tool_uses) or completed.stop_reason == "pause_turn")

    # --- one step -------------------------------------------------------------------------------------------

    async def _step(self, step: int) -> AsyncGenerator[Event]:
        prepared = self._context()
        if prepared != self._prepared:
            self._prepared = prepared
            yield prepared
        request = self._request(prepared)
        yield StepStarted(
            step=step,
            model=request.model,
            provider=self._parts.provider.name,
            message_count=len(request.messages),
            effort=request.effort,
            thinking=request.thinking,
        )
        try:
            async with aclosing(self._answers.stream(request, step)) as events:
                async for event in events:
                    if isinstance(event, MessageFinished):
                        self._count(self._answers.completed)
                    yield event
            completed = self._answers.completed
            if completed is not None and completed.message.tool_uses:
                async with aclosing(self._calls(completed, step)) as events:
                    async for event in events:
                        yield event
        except (Interrupted, ProviderError):
            yield StepFinished(step=step)
            raise
        yield StepFinished(step=step)

    def _request(self, prepared: ContextPrepared) -> ModelRequest:
        parts = self._parts
        return ModelRequest(
            model=self._answers.model,
            system=prepared.system,
            messages=self._conversation.messages(),
            tools=prepared.tools,
            max_tokens=parts.max_tokens,
            effort=parts.effort,
            thinking=parts.thinking,
            temperature=parts.temperature,
        )

    def _count(self, completed: Completed | None) -> None:
        if completed is None:
            return
        self.progress.usage = self.progress.usage + completed.usage
        self.progress.last_usage = completed.usage
        self.progress.last_text = completed.message.text or self.progress.last_text

    async def _calls(self, completed: Completed, step: int) -> AsyncGenerator[Event]:
        gate = Gate(self._parts)
        async with aclosing(gate.run_calls(completed.message.tool_uses, step, completed.parse)) as events:
            async for event in events:
                if isinstance(event, MessageFinished):  # of a subagent: it belongs to what this turn cost
                    self.progress.usage = self.progress.usage + event.usage
                yield event
        if gate.stop:
            self.progress.reason, self.progress.detail = gate.stop, gate.stop_detail
        elif self._parts.hooks.has("PostToolBatch"):
            agent, payload = self._parts.agent, {"tool_calls": gate.answered}
            call = HookCall(point="PostToolBatch", payload=payload, agent_id=agent.id, agent_type=agent.type)
            async with aclosing(self._fire(call)) as events:
                async for event in events:
                    yield event

    # --- rest, or not ---------------------------------------------------------------------------------------

    async def _between_steps(self) -> AsyncGenerator[Event]:
        """Steering, else guards, else Stop hooks, else the end that the stop reason demands.

        A PromptAdded lets the turn go on.
        """
        completed = self._answers.completed
        if self.progress.reason != "end_turn" or completed is None:
            return
        offered = self._prepared is not None and bool(self._prepared.tools)
        self._guards, advice = self._guards.after(completed, offered=offered)
        steered = [self._steering.popleft() for _ in range(len(self._steering))]
        for text in steered:
            yield _user(text, "steer")
        if not steered and advice is not None:
            yield self._heed(advice)
        if steered or advice is not None or self._has_calls():
            return
        match completed.stop_reason:
            case "max_tokens":
                self.progress.reason, self.progress.detail = "max_tokens", "the answer reached its length limit"
            case "refusal":
                self.progress.reason, self.progress.detail = "refusal", "the model declined to answer"
            case "context_full":
                self.progress.reason, self.progress.detail = "context_full", "the model's window is full"
            case "incomplete":
                raise ProviderError(
                    "The connection broke off in the middle of the answer.",
                    kind="cut",
                    retryable=True,
                    hint="What arrived is kept. Say “go on” to let the model finish.",
                )
            case _:
                async with aclosing(self._ask_stop_hooks()) as events:
                    async for event in events:
                        yield event

    def _heed(self, advice: Advice) -> Event:
        """Tell the model, which lets the turn go on; or end it and tell the person."""
        if advice.kind == "tell":
            return _user(advice.words, "system")
        self.progress.reason, self.progress.detail = "repeating", advice.words
        return Notice(level="warning", text=advice.words, code=advice.code)

    async def _ask_stop_hooks(self) -> AsyncGenerator[Event]:
        agent = self._parts.agent
        point = "SubagentStop" if agent.id else "Stop"
        if not self._parts.hooks.has(point):
            return
        payload = {"stop_hook_active": self._stop_blocks > 0, "last_assistant_message": self.progress.last_text}
        call = HookCall(point=point, subject=agent.type, payload=payload, agent_id=agent.id, agent_type=agent.type)
        async with aclosing(self._fire(call)) as events:
            async for event in events:
                yield event

    async def _fire(self, call: HookCall) -> AsyncGenerator[Event]:
        """Fire hooks between steps; what they say becomes the next user message."""
        outcomes: list[HookOutcome] = []
        async with aclosing(fired(self._parts, call, self._parts.interrupt, outcomes)) as events:
            async for event in events:
                yield event
        outcome = outcomes[0]
        if outcome.stop:
            self.progress.reason, self.progress.detail = "hook", outcome.stop_reason
            return
        is_stop = call.point in {"Stop", "SubagentStop"}
        if outcome.blocked and not is_stop:
            self.progress.reason, self.progress.detail = "hook", outcome.reason
            return
        said = [*([outcome.reason] if outcome.blocked and outcome.reason else []), *outcome.context, *outcome.feedback]
        if not said and not outcome.blocked:
            return
        if is_stop:
            self._stop_blocks += 1
            if 0 < self._parts.stop_hook_cap < self._stop_blocks:
                yield Notice(
                    level="warning",
                    text=f"Stop hooks sent the model on {self._parts.stop_hook_cap} times in a row; the turn ends now.",
                    code="stop_hook_cap",
                )
                return
        yield _user("\n\n".join(said) or "Go on: a Stop hook did not let the turn end.", "hook")

    async def _make_room(self) -> AsyncGenerator[Event]:
        if self._compactor is None or not self._compactor.is_due(self._conversation, self.progress.last_usage):
            return
        async with aclosing(self._compactor.compact(self._conversation, self._parts, "auto")) as events:
            async for event in events:
                yield event
        self.progress.last_usage = Usage()


def _user(text: str, origin: Origin) -> PromptAdded:
    return PromptAdded(message=Message(role="user", blocks=(TextBlock(text=text),)), origin=origin)
