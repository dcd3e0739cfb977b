"""One case of the stream-fault corpus, lived through by the assembled house: real session, tools, rules and store.

Waits are virtual: retries are told their delay and do not sleep. Idle time-outs are a tenth of what the case says.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rein_tui.harness.places import Places
from rein_tui.harness.protocol import events as ev
from rein_tui.harness.protocol.errors import Failure
from rein_tui.harness.protocol.messages import Message, TextBlock
from rein_tui.harness.protocol.models import ModelRequest, Provider
from rein_tui.harness.protocol.ports import Prompt
from rein_tui.harness.protocol.workbench import ModelChoice
from rein_tui.harness.providers.anthropic import AnthropicOptions, AnthropicProvider
from rein_tui.harness.providers.base import Secret
from rein_tui.harness.providers.http import Endpoint
from rein_tui.harness.providers.keys import KeyRing
from rein_tui.harness.providers.openai_chat import ChatOptions, OpenAIChatProvider
from rein_tui.harness.providers.retry import Pace
from rein_tui.harness.session import Session
from rein_tui.harness.store.store import Store
from rein_tui.harness.turn.conversation import Conversation, valid_messages
from rein_tui.harness.wiring.build import open_workbench
from rein_tui.harness.wiring.wishes import Wishes
from rein_tui.widgets.chat_blocks import Look
from rein_tui.widgets.chat_fold import ChatFold
from tests.fakes.engines import ScriptedPerson
from tests.fakes.model_server import ModelServer, model_server

KEY = "sk-secret-0123456789"
SCALE = 0.1


@dataclass(slots=True)
class Story:
    """What became of a case. `bodies` are next requests: of the living session, and of what its store holds."""

    events: list[ev.Event] = field(default_factory=list[ev.Event])
    bodies: list[Any] = field(default_factory=list[Any])
    messages: tuple[Message, ...] = ()
    stop_latency: float = 0.0
    longest_silence: float = 0.0

    def all(self, *kinds: type[Any]) -> list[Any]:
        """The events of these kinds, in order."""
        return [event for event in self.events if isinstance(event, kinds)]

    @property
    def failure(self) -> Failure | None:
        return next((event.failure for event in self.all(ev.TurnFailed)), None)

    @property
    def runs(self) -> dict[str, int]:
        started = [event.call_id for event in self.all(ev.ToolCallStarted)]
        return {call_id: started.count(call_id) for call_id in started}

    @property
    def final(self) -> str:
        last = next((m for m in reversed(self.messages) if m.role == "assistant"), None)
        return last.text if last is not None else ""

    @property
    def streamed(self) -> str:
        """The prose that stayed after it was streamed: a retry takes back what came before it."""
        shown, draft = "", ""
        for event in self.all(ev.TextDelta, ev.RequestRetried, ev.MessageFinished):
            match event:
                case ev.TextDelta(text=text):
                    draft += text
                case ev.RequestRetried():
                    draft = ""
                case _:
                    shown, draft = shown + draft, ""
        return shown

    @property
    def screen(self) -> str:
        """The chat's lines, as the screen shows them at the end."""
        fold = ChatFold(Look("line"))
        for event in self.events:
            fold.apply(event)
        return "\n".join(line.body.plain for block in fold.walk() for line in block.lines(200))


@asynccontextmanager
async def provider_for(case: dict[str, Any], fake: ModelServer) -> AsyncGenerator[Provider]:
    """The case's provider, told its waits instead of waiting."""

    async def sleep(delay: float) -> None:
        await asyncio.sleep(0)

    idle = case.get("setup", {}).get("idle_timeout_s", 60) * SCALE
    pace, keys = Pace(sleep=sleep, chance=lambda: 0.0), KeyRing(Secret(KEY, source="TEST_KEY"))
    provider: Provider
    if case["provider"] == "anthropic":
        provider = AnthropicProvider(keys, AnthropicOptions(url=fake.url, idle=idle), pace=pace)
    else:
        provider = OpenAIChatProvider(ChatOptions(Endpoint(url=fake.url, idle=idle), 200_000), keys, pace=pace)
    try:
        yield provider
    finally:
        await provider.close()


@asynccontextmanager
async def house(places: Places, root: Path, url: str) -> AsyncGenerator[tuple[Session, Store]]:
    """A new session of the assembled house, stored, in which nothing asks."""
    root.mkdir(exist_ok=True)
    wishes = Wishes(root=root, trust=True, interactive=False, mode="bypassPermissions")
    environment = {"HOME": str(places.home), "PATH": "/usr/bin:/bin"}
    choice = ModelChoice(kind="anthropic", model="m", url=url)
    bench = open_workbench(places, environment, wishes, ScriptedPerson(), choice)
    try:
        session = await bench.open()
        assert isinstance(session, Session)
        yield session, bench.store
    finally:
        await bench.close()


async def play(case: dict[str, Any], places: Places, root: Path) -> tuple[Story, ModelServer]:
    """Live through the case with one prompt."""
    story = Story()
    async with (
        asyncio.timeout(60),
        model_server(case["attempts"]) as fake,
        provider_for(case, fake) as provider,
        house(places, root, fake.url) as (session, store),
    ):
        session.use_model(provider, "m", 200_000)
        heart = asyncio.create_task(_beat(story))
        stopping = asyncio.create_task(_press_escape(case, fake, session))
        async with aclosing(session.run(Prompt(text="go"))) as events:
            async for event in events:
                story.events.append(event)
        heart.cancel()
        if pressed := await stopping:
            story.stop_latency = time.monotonic() - pressed
        story.messages = session.conversation().messages()
        stored = Conversation(fact for _, fact in store.read(session.info.id)).messages()
        story.bodies = [_next_body(provider, messages) for messages in (story.messages, stored)]
    return story, fake


def _next_body(provider: Provider, messages: Sequence[Message]) -> Any:
    more = Message(role="user", blocks=(TextBlock(text="and now?"),))
    return provider.wire(ModelRequest(model="m", system="s", messages=valid_messages((*messages, more)))).body


async def _beat(story: Story) -> None:
    """How long the event loop, which is the screen's as well, was busy with something else.

    In seconds of its thread's processor time: the wall clock counts what other programs do, too.
    """
    while True:
        before = time.thread_time()
        await asyncio.sleep(0.01)
        story.longest_silence = max(story.longest_silence, time.thread_time() - before)


async def _press_escape(case: dict[str, Any], fake: ModelServer, session: Session) -> float:
    """Esc, once the request has arrived where a case wants it; when that was."""
    if "press_esc_after_s" not in case.get("setup", {}):
        return 0.0
    while not fake.requests:
        await asyncio.sleep(0.01)
    session.interrupt()
    return time.monotonic()
