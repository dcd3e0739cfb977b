"""The two ports that the screen drives, played by stories: a harness and a workbench without model, tools or disk."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from typing import Any, TypeVar

import msgspec

from rein_tui.harness.protocol.decisions import Mode, PermissionReply
from rein_tui.harness.protocol.errors import ProviderError, StartError, StoreError
from rein_tui.harness.protocol.events import (
    DELTAS,
    TURN_ENDS,
    Compacted,
    Event,
    Fact,
    ModeChanged,
    PermissionRequested,
    PermissionResolved,
    PromptAdded,
    QuestionAnswered,
    QuestionAsked,
    Rewound,
    SessionStarted,
    ToolCallFinished,
    TurnFinished,
    TurnInterrupted,
    TurnStarted,
)
from rein_tui.harness.protocol.messages import Message, TextBlock
from rein_tui.harness.protocol.models import ModelInfo
from rein_tui.harness.protocol.ports import MOST_LISTED, Permissions, Prompt, Prompter, SessionInfo, StatusLine
from rein_tui.harness.protocol.rewind import FileStep, Obstacle, Restored, RewindPlan
from rein_tui.harness.protocol.workbench import CommandInfo, ExportForm, FoundServer, ModelChoice, ModelProbe
from rein_tui.harness.store.export import export
from tests import stories
from tests.stories import Beat, Hold

NOW = 1_790_000_000.0
CHOICE = ModelChoice(kind="anthropic", model=stories.MODEL)
ReplyT = TypeVar("ReplyT")


class FakeHarness:
    """ports.Harness that plays one story a prompt. `prompts`, `steered` and `replies` say what arrived."""

    def __init__(
        self, info: SessionInfo, tell: Sequence[list[Beat]], prompter: Prompter | None, past: Sequence[Fact] = ()
    ) -> None:
        self.info = info
        self.mode: Mode = "default"
        self.permissions = None
        self.is_running = False
        self.permissions: Permissions | None = None
        self.status_line: StatusLine | None = None
        self.obstacle: Obstacle = ""
        self.rewound_also: frozenset[str] = frozenset()
        self.rewound: list[tuple[int, bool, bool]] = []
        self.prompts: list[Prompt] = []
        self.steered: list[str] = []
        self.replies: list[PermissionReply] = []
        self._tell = list(tell)
        self._prompter = prompter
        self._facts: list[Fact] = list(past)
        self._go = asyncio.Event()
        self._stop = asyncio.Event()
        self._over = asyncio.Event()
        self._skipped = ""

    def history(self) -> Sequence[Fact]:
        return tuple(self._facts)

    async def start(self) -> AsyncGenerator[Event]:
        if not self._facts:
            yield self._stamp(
                SessionStarted(
                    session_id=self.info.id,
                    cwd=self.info.cwd,
                    model=stories.MODEL,
                    provider="anthropic",
                    branch=self.info.branch,
                )
            )

    async def asides(self) -> AsyncGenerator[Event]:
        await self._over.wait()
        return
        yield  # an async generator without events

    async def run(self, prompt: Prompt) -> AsyncGenerator[Event]:
        self.prompts.append(prompt)
        self.is_running = True
        self._stop.clear()
        turn = self.info.turns + 1
        title = self.info.title or prompt.text[:40]
        self.info = msgspec.structs.replace(self.info, turns=turn, title=title, updated=NOW)
        yield self._stamp(TurnStarted(text=prompt.text))
        yield self._stamp(PromptAdded(message=Message(role="user", blocks=(TextBlock(text=prompt.text),))))
        last: Event | None = None
        for beat in self._tell.pop(0) if self._tell else stories.greeting():
            async for event in self._play(beat):
                last = event
                yield event
            if self._stop.is_set():
                break
        if not isinstance(last, TURN_ENDS):
            end = TurnInterrupted(duration=1.0) if self._stop.is_set() else TurnFinished(duration=3.2, steps=1)
            yield self._stamp(end)
        self.is_running = False

    async def _play(self, beat: Beat) -> AsyncGenerator[Event]:
        if isinstance(beat, Hold):
            await self._hold()
            return
        if self._skipped and getattr(beat, "call_id", "") == self._skipped:
            return
        yield self._stamp(beat)
        if isinstance(beat, PermissionRequested) and self._prompter is not None:
            reply = await self._until_stopped(self._prompter.ask(beat.request))
            request = beat.request
            if reply is not None:
                self.replies.append(reply)
                yield self._stamp(PermissionResolved(request_id=request.id, call_id=request.call_id, reply=reply))
            if reply is None or reply.answer in ("deny", "stop"):
                self._skipped = request.call_id
                if reply is not None and reply.answer == "stop":
                    self._stop.set()
                words = reply.words if reply else ""
                yield self._stamp(
                    ToolCallFinished(call_id=request.call_id, name=request.tool, outcome="denied", content=words)
                )
        if isinstance(beat, QuestionAsked) and self._prompter is not None:
            answer = await self._until_stopped(self._prompter.question(beat.request))
            if answer is not None:
                yield self._stamp(QuestionAnswered(request_id=beat.request.id, reply=answer))

    async def _until_stopped(self, asking: Coroutine[Any, Any, ReplyT]) -> ReplyT | None:
        """The answer, or None when the person interrupted meanwhile: then the question is withdrawn."""
        answer, stop = asyncio.create_task(asking), asyncio.create_task(self._stop.wait())
        await asyncio.wait((answer, stop), return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if answer.done():
            return answer.result()
        answer.cancel()
        await asyncio.wait((answer,))
        return None

    async def _hold(self) -> None:
        waits = [asyncio.create_task(self._go.wait()), asyncio.create_task(self._stop.wait())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
        self._go.clear()

    def go_on(self) -> None:
        """Let the story go on after a hold."""
        self._go.set()

    def interrupt(self, reason: str = "") -> None:
        self._stop.set()

    def steer(self, text: str) -> None:
        self.steered.append(text)

    async def set_mode(self, mode: Mode) -> None:
        self.mode = mode
        self._facts.append(ModeChanged(mode=mode))

    def rewind_plan(self, to_turn: int) -> RewindPlan:
        step = FileStep(path="src/auth/tokens.py", verb="restore", obstacle=self.obstacle)
        return RewindPlan(to_turn=to_turn, steps=(step,), commands=("make build",))

    async def rewind(
        self, to_turn: int, *, conversation: bool = True, code: bool = False, also: frozenset[str] = frozenset()
    ) -> Restored:
        if self.is_running:
            raise StartError("a turn is running")
        self.rewound.append((to_turn, conversation, code))
        self.rewound_also = also
        self.info = msgspec.structs.replace(self.info, turns=to_turn)
        self._stamp(Rewound(to_turn=to_turn, conversation=conversation, code=code))
        return Restored(restored=("src/auth/tokens.py",) if code else ())

    async def compact(self, focus: str = "", from_turn: int = 0) -> AsyncGenerator[Event]:
        yield self._stamp(TurnStarted(text=f"/compact {focus}".rstrip()))
        summary = Compacted(
            summary="what was done so far", tokens_before=90_000, tokens_after=4_000, from_turn=from_turn
        )
        yield self._stamp(summary)
        yield self._stamp(TurnFinished())

    def _stamp(self, event: Event) -> Event:
        stamped = msgspec.structs.replace(event, time=NOW, turn=self.info.turns)
        if not isinstance(stamped, DELTAS):
            self._facts.append(stamped)
        return stamped


class FakeWorkbench:
    """workbench.Workbench over sessions in memory. `tell` gives the stories of each session that opens.

    `past` is what the stored ones have told already.
    """

    def __init__(
        self,
        tell: Callable[[], Sequence[list[Beat]]] = lambda: [],
        *,
        prompter: Prompter | None = None,
        choice: ModelChoice | None = CHOICE,
        stored: Sequence[SessionInfo] = (),
        past: Sequence[Fact] = (),
        servers: Sequence[FoundServer] = (),
        probed: ModelProbe | None = None,
    ) -> None:
        self.choice = choice
        self.probed = probed
        self.has_no_list = False
        self.opened: list[FakeHarness] = []
        self.searched: list[str] = []
        self.may_find = asyncio.Event()
        self.may_find.set()
        self.keys: list[str] = []
        self.deleted: list[str] = []
        self._tell = tell
        self._prompter = prompter
        self._stored = {info.id: info for info in stored}
        self._past = past
        self._gone: dict[str, SessionInfo] = {}
        self._servers = tuple(servers)

    async def prepare(self) -> None:
        """Nothing to wait for."""

    async def open(self, session_id: str = "") -> FakeHarness:
        if session_id and session_id not in self._stored:
            raise StoreError("no such session", where=session_id, hint="/resume lists what there is")
        fresh = SessionInfo(id=f"s{len(self.opened) + 1}", cwd="/w/shop", branch="main", created=NOW, updated=NOW)
        past = self._past if session_id else ()
        harness = FakeHarness(self._stored.get(session_id, fresh), self._tell(), self._prompter, past)
        self.opened.append(harness)
        return harness

    async def fork(self, session_id: str, turn: int) -> FakeHarness:
        info = SessionInfo(id=f"{session_id}-fork", title=f"fork at {turn}", cwd="/w/shop", branch="main", created=NOW)
        harness = FakeHarness(info, self._tell(), self._prompter)
        self.opened.append(harness)
        return harness

    def sessions(self, search: str = "", everywhere: bool = False, limit: int = MOST_LISTED) -> Sequence[SessionInfo]:
        live = {h.info.id: h.info for h in self.opened if h.info.turns and h.info.id not in self._gone}
        infos = {**self._stored, **live}
        found = [info for info in infos.values() if search.lower() in info.title.lower()]
        return sorted(found, key=lambda info: (-info.updated, info.id))[:limit]

    async def find(self, search: str, everywhere: bool, limit: int) -> Sequence[SessionInfo]:
        self.searched.append(search)
        await self.may_find.wait()
        return self.sessions(search, everywhere, limit)

    def facts(self, session_id: str) -> Sequence[Fact]:
        if session_id not in self._stored:
            raise StoreError("no such session", where=session_id)
        prompt = Message(role="user", blocks=(TextBlock(text="what was asked"),))
        answer = [beat for beat in stories.greeting() if not isinstance(beat, (*DELTAS, Hold))]
        return [TurnStarted(text="what was asked"), PromptAdded(message=prompt), *answer, TurnFinished()]

    def export(self, session_id: str, form: ExportForm) -> bytes:
        opened = next((h for h in self.opened if h.info.id == session_id), None)
        facts = opened.history() if opened is not None else self.facts(session_id)
        return export(form, SessionInfo(id=session_id), facts)

    def commands(self) -> Sequence[CommandInfo]:
        return (CommandInfo(name="review", summary="Review the changes", argument="[base]", source="project"),)

    def rename(self, session_id: str, title: str) -> None:
        for harness in self.opened:
            if harness.info.id == session_id:
                harness.info = msgspec.structs.replace(harness.info, title=title)
        if session_id in self._stored:
            self._stored[session_id] = msgspec.structs.replace(self._stored[session_id], title=title)

    def delete(self, session_id: str) -> None:
        self.deleted.append(session_id)
        self._gone[session_id] = self._stored.pop(session_id, SessionInfo(id=session_id))

    def undelete(self, session_id: str) -> None:
        self._stored[session_id] = self._gone.pop(session_id)

    async def find_servers(self) -> tuple[FoundServer, ...]:
        return self._servers

    async def models(self) -> tuple[ModelInfo, ...]:
        if self.has_no_list:
            raise ProviderError("no such page", kind="not_found")
        return (
            ModelInfo(id=stories.MODEL, title="Sonnet 4.5", context_window=200_000),
            ModelInfo(id="claude-haiku-4-5", title="Haiku 4.5", context_window=200_000),
        )

    async def probe(self) -> ModelProbe:
        if self.probed is None:
            raise ProviderError("Only local models are tried out.", kind="unavailable")
        return self.probed

    async def choose(self, choice: ModelChoice, api_key: str = "") -> None:
        if choice.kind == "anthropic" and api_key == "wrong":
            raise ProviderError("the server refused the key", kind="auth", hint="paste another")
        self.choice = choice
        self.keys.append(api_key)


SESSIONS = (
    SessionInfo(
        id="a1", title="fix the login", branch="main", turns=4, cost_usd=0.31, updated=NOW - 120, created=NOW - 4000
    ),
    SessionInfo(id="a2", title="add a cache for products", branch="cache", turns=12, cost_usd=1.84, updated=NOW - 3700),
    SessionInfo(id="a3", title="refactor the parser", branch="main", turns=2, updated=NOW - 90_000),
)
