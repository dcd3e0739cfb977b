"""The session: one persistent conversation. It only sequences: record, hooks, loop, the turn's end.

What is known about a session (title, cost, statistics) is a fold elsewhere.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Literal

from msgspec import structs

from .idle import IdleNotice
from .protocol.decisions import Mode
from .protocol.engines import Journal
from .protocol.errors import StartError
from .protocol.events import (
    Event,
    Fact,
    ModeChanged,
    ModelChanged,
    Notice,
    Rewound,
    SessionEnded,
    SessionStarted,
    TitleChanged,
    TurnStarted,
)
from .protocol.hooks import HookCall, HookOutcome, HookRun
from .protocol.mcp import McpServers
from .protocol.models import Provider, WireRequest
from .protocol.ports import Adjustments, FileFinder, Permissions, Prompt, SessionInfo, StatusLine
from .protocol.rewind import Restored, RewindPlan
from .protocol.workbench import MemoryDesk, SettingsDesk
from .recorder import Recorder
from .turn.beginning import beginning
from .turn.caching import CacheWatch
from .turn.conversation import Conversation
from .turn.loop import Loop, Progress
from .turn.moments import fired
from .turn.parts import Parts
from .turn.prompt_ids import prompt_id
from .turn.prompt_turn import PromptTurn, reminder
from .turn.requests import request_of
from .turn.surroundings import Surroundings
from .turn.whole_turn import whole_turn

EndReason = Literal["clear", "resume", "logout", "prompt_input_exit", "other"]


class Session:
    """A local session; implements ports.Harness.

    `opening` is the first fact of a fresh session, or the SessionStarted of a resumed one; `past` are the stored
    facts of a resumed one.
    """

    def __init__(
        self,
        parts: Parts,
        journal: Journal,
        opening: SessionStarted,
        around: Surroundings,
        past: Sequence[Fact] = (),
    ) -> None:
        self.parts = parts
        self.permissions: Permissions | None = None
        self.mcp: McpServers | None = None
        self.adjustments: Adjustments | None = None
        self.status_line: StatusLine | None = None
        self.file_finder: FileFinder | None = None
        self.settings_desk: SettingsDesk | None = None
        self.memory_desk: MemoryDesk | None = None
        self._opening: SessionStarted | None = opening
        self._around = around
        self._story = Recorder(journal, past, around.watchers, around.now)
        self._story.saves_hint = " /export saves it elsewhere." if parts.interactive else ""
        self._steering: deque[str] = deque()
        self._whispered: list[str] = []
        self._starting = asyncio.Lock()
        self.has_started = asyncio.Event()
        self._is_running = False
        self._idle = IdleNotice(parts, self._tell_later, around.idle_after)

    # --- what a screen asks ---------------------------------------------------------------------------------

    @property
    def info(self) -> SessionInfo:
        """Who this session is, as of now."""
        return self._story.fold.info

    @property
    def mode(self) -> Mode:
        """The permission mode in force."""
        return self.parts.permissions.mode

    @property
    def prompt_id(self) -> str:
        """The id of the prompt that runs, or ran last; empty before the first."""
        return prompt_id(self.info.id, self._story.last_turn)

    @property
    def is_running(self) -> bool:
        """Whether a turn runs."""
        return self._is_running

    def history(self) -> Sequence[Fact]:
        """All facts so far, oldest first."""
        return self._story.facts

    def conversation(self) -> Conversation:
        """The fold that the next request is built from."""
        return self._story.conversation

    def interrupt(self, reason: str = "") -> None:
        """Stop the running turn; see ports.Harness."""
        if self._is_running:
            self.parts.interrupt.trigger(reason)

    def steer(self, text: str) -> None:
        """Say something to the running turn."""
        self._steering.append(text)

    async def set_mode(self, mode: Mode) -> None:
        """Change the permission mode. Raises ConfigError for a mode that policy forbids."""
        if mode != self.mode:
            self.parts.permissions.set_mode(mode)
            self.tell_aside(ModeChanged(mode=mode))

    def use_model(self, provider: Provider, model: str, context_window: int = 0) -> None:
        """Talk to this model from the next request on."""
        self.parts.provider = provider
        self.parts.model = model
        if self._opening is not None:  # its story has not begun: it begins with this model
            self._opening = structs.replace(self._opening, model=model)
        self.tell_aside(ModelChanged(model=model, provider=provider.name, context_window=context_window))

    @property
    def effort(self) -> str:
        """How hard the model tries; empty leaves it to the model."""
        return self.parts.effort

    @property
    def thinking(self) -> bool:
        """Whether the model may think before it answers."""
        return self.parts.thinking

    def set_thinking(self, *, effort: str | None = None, thinking: bool | None = None) -> None:
        """From the next request on; what is None stays."""
        parts = self.parts
        parts.effort = parts.effort if effort is None else effort
        parts.thinking = parts.thinking if thinking is None else thinking

    def whisper(self, text: str) -> None:
        """Tell the model with its next request: now if a turn runs, else with the next prompt."""
        if self._is_running:
            self._steering.append(reminder(text))
        else:
            self._whispered.append(text)

    def wake(self, text: str) -> None:
        """Tell the model as soon as possible: now if a turn runs, else whoever drives the session starts one."""
        if self._is_running:
            self._steering.append(reminder(text))
        else:
            self.tell_aside(Notice(text=text, code="wake"))

    def _whispers(self) -> list[str]:
        texts, self._whispered = self._whispered, []
        return texts

    def rename(self, title: str, by: Literal["person", "hook", "model"] = "person") -> None:
        """Give the session a title."""
        self.tell_aside(TitleChanged(title=title, by=by))

    def request_of(self, turn: int, step: int) -> WireRequest | None:
        """The request of a step, built again from the facts before it."""
        return request_of(self._story.facts, turn, step, self.parts.provider)

    async def rehearse(self, run: HookRun) -> tuple[tuple[HookRun, ...], HookOutcome] | None:
        """Run the hooks of a recorded run's moment again, dry."""
        return await self._around.rehearse(run) if self._around.rehearse is not None else None

    def rewind_plan(self, to_turn: int) -> RewindPlan:
        """What going back to the end of that turn would mean for files."""
        store = self._around.checkpoints
        return store.plan(self._story.facts, to_turn) if store is not None else RewindPlan(to_turn=to_turn)

    async def rewind(
        self, to_turn: int, *, conversation: bool = True, code: bool = False, also: frozenset[str] = frozenset()
    ) -> Restored:
        """Go back to the end of that turn; see ports.Harness. Raises StartError while a turn runs."""
        if self._is_running:
            raise StartError("A turn is running.", hint="Stop it first (Esc).")
        store = self._around.checkpoints
        done = Restored()
        if code and store is not None:
            done = await asyncio.to_thread(store.restore, self.rewind_plan(to_turn), also)
        left = tuple(path for path, _ in done.left)
        self.tell_aside(
            Rewound(to_turn=to_turn, conversation=conversation, code=code, restored=done.restored, kept_files=left)
        )
        return done

    def asides(self) -> AsyncGenerator[Event]:
        """Events that belong to no turn, until the session closes."""
        return self._story.asides()

    def tell_aside(self, event: Event) -> None:
        """Record an event that belongs to no turn and hand it to the reader of `asides`."""
        self._story.tell_aside(event)

    async def _tell_later(self, event: Event) -> None:
        self.tell_aside(event)

    # --- telling --------------------------------------------------------------------------------------------

    def _record(self, event: Event) -> Event:
        return self._story.record(event)

    # --- start and end --------------------------------------------------------------------------------------

    async def start(self) -> AsyncGenerator[Event]:
        """Open the story; see ports.Harness. Looking at an old session writes nothing, unless hooks want to run."""
        opening = self._opening
        wanted = self.parts.hooks.has("SessionStart") or self._around.setup
        if opening is not None and opening.source == "resume" and not wanted:
            return
        async with aclosing(self._begin()) as events:
            async for event in events:
                yield event

    async def _begin(self) -> AsyncGenerator[Event]:
        async with self._starting:
            opening, self._opening = self._opening, None
            if opening is None:
                return
            yield self._record(opening)
            self.has_started.set()
            story = beginning(self.parts, self._around, opening, self.conversation(), lambda: self.info.title)
            async with aclosing(story) as events:
                async for event in events:
                    yield self._record(event)

    async def close(self, reason: EndReason = "prompt_input_exit") -> None:
        """End the session in order: SessionEnd hooks, what it started, its journal. The provider is not its own."""
        await self._idle.stop()
        async with aclosing(self._end(reason)) as events:
            async for event in events:
                self._record(event)
        await self.parts.hooks.close()
        for close in self._around.closers:
            await close()
        self._story.close()

    async def leave(self, reason: EndReason) -> None:
        """The person goes to another session: an end for hooks. Should they come back, the next turn begins anew."""
        began = next((fact for fact in self._story.facts if isinstance(fact, SessionStarted)), None)
        if self._is_running or began is None:
            return
        await self._idle.stop()
        async with aclosing(self._end(reason)) as events:
            async for event in events:
                self.tell_aside(event)
        self._opening = structs.replace(began, source="resume", time=0.0)
        self._around.notices = ()

    async def _end(self, reason: EndReason) -> AsyncGenerator[Event]:
        """SessionEnd hooks, and the end; nothing where nothing began."""
        if self._opening is not None:
            return
        self.parts.interrupt.reset()
        call = HookCall(point="SessionEnd", subject=reason, payload={"reason": reason})
        async with aclosing(fired(self.parts, call, self.parts.interrupt, [])) as events:
            async for event in events:
                yield event
        yield SessionEnded(reason=reason)

    # --- one turn -------------------------------------------------------------------------------------------

    async def run(self, prompt: Prompt) -> AsyncGenerator[Event]:
        """One turn; see ports.Harness."""
        if prompt.system_prompt is not None:
            self.parts.system_prompt = prompt.system_prompt
        loop = Loop(self.parts, self._story.conversation, self._around.context, self._steering, self._around.compactor)
        mark = {"shell": "!", "private_shell": "!!"}.get(prompt.kind, "")
        began = TurnStarted(text=mark + prompt.text, by=prompt.by)
        turn = PromptTurn(
            parts=self.parts,
            around=self._around,
            loop=loop,
            prompt=prompt,
            whispers=self._whispers,
            prepared=self._story.prepared,
            is_titled=any(isinstance(fact, TitleChanged) for fact in self._story.facts),
            cache=CacheWatch(self._story.facts, self.parts.provider, self.parts.model),
        )
        async with aclosing(self._whole_turn(began, turn.events(), loop.progress)) as events:
            async for event in events:
                yield event

    async def compact(self, focus: str = "", from_turn: int = 0) -> AsyncGenerator[Event]:
        """Summarise the conversation, as a turn of its own; see ports.Harness."""
        began = TurnStarted(text=f"/compact {focus}".strip())
        async with aclosing(self._whole_turn(began, self._compaction(focus, from_turn), Progress())) as events:
            async for event in events:
                yield event

    async def _compaction(self, focus: str, from_turn: int) -> AsyncGenerator[Event]:
        compactor = self._around.compactor
        if compactor is None:
            raise StartError("This session cannot be compacted.")
        async with aclosing(
            compactor.compact(self._story.conversation, self.parts, "manual", focus, from_turn)
        ) as events:
            async for event in events:
                yield event

    async def _whole_turn(
        self, began: TurnStarted, story: AsyncGenerator[Event], progress: Progress
    ) -> AsyncGenerator[Event]:
        """A turn around its events: exactly one start, exactly one end, also when the reader leaves early."""
        if self._is_running:
            raise RuntimeError("a turn already runs")
        async with aclosing(self._begin()) as events:
            async for event in events:
                yield event
        await self._idle.stop()
        self._is_running = True
        self._story.begin_turn()
        self.parts.interrupt.reset()
        self._steering.clear()
        try:
            async with aclosing(whole_turn(self.parts, began, story, progress)) as events:
                async for event in events:
                    yield self._record(event)
        finally:
            self._story.end_turn()
            self._is_running = False
            self._idle.start()
