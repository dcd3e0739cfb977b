"""One prompt on its way to rest: settings, hooks, what it refers to, the loop."""

import time
import uuid
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Literal

from ..context.titles import first_words
from ..protocol.decisions import Option, Question, QuestionRequest
from ..protocol.events import (
    ContextPrepared,
    Event,
    Notice,
    PromptAdded,
    QuestionAnswered,
    QuestionAsked,
    StepFinished,
    TitleChanged,
)
from ..protocol.hooks import HookCall, HookOutcome
from ..protocol.messages import Block, Message, TextBlock
from ..protocol.ports import Emit, Prompt
from .caching import CacheWatch
from .channel import told_by
from .loop import Loop, Progress
from .moments import fired, told_news
from .parts import Parts
from .shell_turn import ShellTurn
from .surroundings import Surroundings
from .unfolding import Unfolded

_GATE_OPTIONS = (
    Option(label="Do not send", description="The prompt comes back"),
    Option(label="Send it this once"),
    Option(label="Ignore this hook for the session"),
)


@dataclass(slots=True)
class PromptTurn:
    """What one prompt sets going. `whispers` gives what hooks left for the model since the last turn; `prepared` is
    the context that the last request had; `is_titled` says whether the session has a title; `cache` whether prompts are
    paid for again.
    """

    parts: Parts
    around: Surroundings
    loop: Loop
    prompt: Prompt
    whispers: Callable[[], list[str]]
    prepared: ContextPrepared | None
    is_titled: bool
    cache: CacheWatch

    async def events(self) -> AsyncGenerator[Event]:
        """From the prompt to rest; the reason of the end is in the loop's progress."""
        prompt, loop = self.prompt, self.loop
        if prompt.kind != "prompt":
            async with aclosing(ShellTurn(self.parts, prompt).run()) as events:
                async for event in events:
                    yield event
            return
        for path, text in self.around.changed_memory():
            yield user_message((TextBlock(text=reminder(text)),), "memory", path)
        for story in (self._refreshed(), told_news(self.parts, self.around.news)):
            async with aclosing(story) as events:
                async for event in events:
                    yield event
        outcomes: list[HookOutcome] = []
        call = HookCall(point="UserPromptSubmit", payload={"prompt": prompt.text})
        async with aclosing(fired(self.parts, call, self.parts.interrupt, outcomes)) as events:
            async for event in events:
                yield event
        verdict = outcomes[0]
        if verdict.verdict == "ask" and not verdict.blocked:
            async with aclosing(self._ask_about_gate(verdict, loop.progress)) as events:
                async for event in events:
                    yield event
            if loop.progress.reason != "end_turn":
                return
        is_refused = verdict.blocked or verdict.stop
        if not self.is_titled and prompt.text.strip() and not is_refused:
            yield TitleChanged(title=first_words(prompt.text))
        if verdict.session_title:
            yield TitleChanged(title=verdict.session_title, by="hook")
        if is_refused:
            loop.progress.reason, loop.progress.detail = "hook", verdict.reason or verdict.stop_reason
            return
        async with aclosing(self._prompted(prompt, loop.progress)) as events:
            async for event in events:
                yield event
        if loop.progress.reason != "end_turn":
            return
        for text in [*verdict.context, *self.whispers()]:
            yield user_message((TextBlock(text=reminder(text)),), "hook", "UserPromptSubmit")
        if cold := self.cache.before(self.around.now()):
            yield cold
        missed: Notice | None = None
        async with aclosing(loop.run(self.prepared)) as events:
            async for event in events:
                missed = missed or self.cache.after(event)
                yield event
                if missed is not None and isinstance(event, StepFinished) and not event.parent:
                    yield missed
                    missed = None

    async def _prompted(self, prompt: Prompt, progress: Progress) -> AsyncGenerator[Event]:
        """The prompt as it joins the conversation: a command unfolded, else the words with what they refer to."""
        unfold, found = self.around.unfold, list[Unfolded | None]()
        if unfold is not None:

            async def work(tell: Emit) -> None:
                found.append(await unfold(prompt, tell))

            async with aclosing(told_by(work, self.parts.interrupt)) as events:
                async for event in events:
                    yield event
        if found and found[0] is not None:
            for message in found[0].messages:
                yield message
            if found[0].refused:
                progress.reason, progress.detail = "denied", found[0].refused
            return
        expand = self.around.expand
        blocks, notices = expand(prompt) if expand is not None else (_plain(prompt), ())
        for notice in notices:
            yield notice
        yield user_message(blocks, "prompt")

    async def _refreshed(self) -> AsyncGenerator[Event]:
        if self.around.refresh is not None:
            async with aclosing(told_by(self.around.refresh, self.parts.interrupt)) as events:
                async for event in events:
                    yield event

    async def _ask_about_gate(self, verdict: HookOutcome, progress: Progress) -> AsyncGenerator[Event]:
        """A gate before the prompt is broken: the person decides whether it goes out all the same."""
        question = QuestionRequest(
            id=f"gate_{uuid.uuid4().hex[:8]}",
            title="A hook that guards your prompts is broken",
            questions=(Question(question=verdict.reason or "Send the prompt all the same?", options=_GATE_OPTIONS),),
        )
        if not self.parts.interactive:
            progress.reason, progress.detail = "hook", f"{verdict.reason} Nobody can answer here."
            return
        yield QuestionAsked(request=question)
        started = time.perf_counter()
        reply = await self.parts.interrupt.guard(self.parts.prompter.question(question))
        yield QuestionAnswered(request_id=question.id, reply=reply, waited=time.perf_counter() - started)
        answer = next(iter(reply.answers.values()), "")
        if answer == _GATE_OPTIONS[2].label:
            self.parts.hooks.ignore([v.hook_id for v in verdict.verdicts if v.broken])
        elif answer != _GATE_OPTIONS[1].label:
            progress.reason, progress.detail = "hook", verdict.reason


def user_message(
    blocks: tuple[Block, ...], origin: Literal["prompt", "hook", "memory"], source: str = ""
) -> PromptAdded:
    """A message of the person's side, joining the conversation."""
    return PromptAdded(message=Message(role="user", blocks=blocks), origin=origin, source=source)


def _plain(prompt: Prompt) -> tuple[Block, ...]:
    return (TextBlock(text=prompt.text), *prompt.blocks)


def reminder(text: str) -> str:
    """Text that the person did not type, marked as such for the model."""
    return f"<system-reminder>\n{text}\n</system-reminder>"
