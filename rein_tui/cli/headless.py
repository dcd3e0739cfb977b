"""`rein-tui -p`: the harness without a screen. What would ask is denied, and says so."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal, TextIO, TypeAlias

from ..harness.protocol.base import JsonObject
from ..harness.protocol.decisions import PermissionReply, PermissionRequest, QuestionReply, QuestionRequest
from ..harness.protocol.errors import ConfigError
from ..harness.protocol.events import (
    TURN_ENDS,
    Event,
    HookFired,
    Notice,
    PermissionDecided,
    SideAnswered,
    TurnEnd,
    TurnFailed,
    TurnFinished,
)
from ..harness.protocol.mcp import HasMcp
from ..harness.protocol.policy import TrustReply, TrustRequest
from ..harness.protocol.ports import Harness, Prompt
from ..harness.protocol.workbench import ExtensionRow
from .print_records import Records, was_refused
from .signals import endings, on_signals

OutputFormat: TypeAlias = Literal["text", "json", "stream-json"]

LARGEST_STDIN = 10 * 1024 * 1024


class NobodyAnswers:
    """The prompter where no person is: every question is declined by policy."""

    async def ask(self, request: PermissionRequest) -> PermissionReply:
        """Deny."""
        return PermissionReply(answer="deny", answered_by="policy", words="Nobody can answer here.")

    async def question(self, request: QuestionRequest) -> QuestionReply:
        """Decline."""
        return QuestionReply(cancelled=True)

    async def trust(self, request: TrustRequest) -> TrustReply:
        """Trust nothing."""
        return TrustReply()


@dataclass(slots=True)
class Headless:
    """How to run without a screen, and where to write."""

    format: OutputFormat = "text"
    partial: bool = False
    hooks: bool = False
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    extensions: Sequence[ExtensionRow] = ()
    _told: str = ""

    async def run(self, harness: Harness, prompts: AsyncGenerator[Prompt]) -> int:
        """Run each prompt as a turn; the exit code of the last one: 0 ok, 1 failed, 130 interrupted, 143 terminated."""
        records = Records(harness.info.id, mode=harness.mode, partial=self.partial, hooks=self.hooks)
        records.extensions = self.extensions
        records.mcp = harness.mcp if isinstance(harness, HasMcp) else None
        signals: list[int] = []

        def stop(number: int) -> None:
            signals.append(number)
            harness.interrupt(signal.Signals(number).name)

        code = 0
        with on_signals((signal.SIGINT, *endings()), stop):
            async with self._listening(harness, records), aclosing(prompts):
                async for prompt in prompts:
                    end = await self._turn(harness, prompt, records)
                    code = _exit_code(end)
                    if signals:
                        return 128 + signals[0]
        return code

    @asynccontextmanager
    async def _listening(self, harness: Harness, records: Records) -> AsyncGenerator[None]:
        """Meanwhile, what happens outside turns is told too: a disk that takes nothing any more, background hooks."""

        async def listen() -> None:
            async with aclosing(harness.asides()) as events:
                async for event in events:
                    self._remark(event)
                    if isinstance(event, SideAnswered):
                        records.count(event)
                    elif isinstance(event, HookFired):
                        for record in records.apply(event):
                            self._write(record)

        listener = asyncio.create_task(listen())
        try:
            yield
            await asyncio.sleep(0)  # what was told last is remarked on as well
        finally:
            listener.cancel()
            await asyncio.wait([listener])

    async def _turn(self, harness: Harness, prompt: Prompt, records: Records) -> TurnEnd:
        end: TurnEnd | None = None
        async with aclosing(harness.run(prompt)) as events:
            async for event in events:
                for record in records.apply(event):
                    self._write(record)
                if self.format != "stream-json":
                    self._remark(event)
                if isinstance(event, TURN_ENDS) and not event.parent:
                    end = event
        if end is None:
            raise RuntimeError("a turn without an end")
        await asyncio.sleep(0)  # what was asked beside it is counted by then
        result = records.result(end)
        if self.format == "text":
            self._write_text(result)
        else:
            self._line(result)
        return end

    def _write(self, record: JsonObject) -> None:
        if self.format == "stream-json":
            self._line(record)

    def _line(self, record: JsonObject) -> None:
        self.out.write(json.dumps(record, ensure_ascii=False, separators=(",", ":"), default=str) + "\n")
        self.out.flush()

    def _write_text(self, result: JsonObject) -> None:
        if result["is_error"]:
            told = [error for error in result["errors"] if not error.startswith(self._told or "\0")]
            self.err.write("".join(f"rein-tui: {error}\n" for error in told))
        elif text := result["result"]:
            self.out.write(text if text.endswith("\n") else text + "\n")
            self.out.flush()

    def _remark(self, event: Event) -> None:
        """What a person at the other end should know, on stderr."""
        match event:
            case Notice(level="info"):
                pass
            case Notice():
                parts = [p for p in (event.text, event.where, event.hint) if p]
                self._told = event.text
                self.err.write(f"rein-tui: {' · '.join(parts)}\n")
            case PermissionDecided(decision=decision) if decision.outcome == "deny":
                self.err.write(f"rein-tui: denied: {decision.reason}\n")
            case _:
                pass


def _exit_code(end: TurnEnd) -> int:
    match end:
        case TurnFailed():
            return 1
        case TurnFinished(reason="max_turns" | "budget" | "context_full" | "denied"):
            return 1
        case TurnFinished():
            return 1 if was_refused(end) else 0
        case _:
            return 130


def piped_text(stdin: TextIO) -> str:
    """What was piped in, or nothing when stdin is a terminal. Raises ConfigError beyond 10 MB."""
    if stdin.closed or stdin.isatty():
        return ""
    text = stdin.read(LARGEST_STDIN + 1)
    if len(text) > LARGEST_STDIN:
        raise ConfigError("more than 10 MB was piped in", where="stdin", hint="Write it to a file and name the file.")
    return text


async def one_prompt(text: str) -> AsyncGenerator[Prompt]:
    """A single prompt."""
    yield Prompt(text=text, by="script")


async def prompts_of(stdin: TextIO) -> AsyncGenerator[Prompt]:
    """The prompts of `--input-format stream-json`: one user message a line. Raises ConfigError naming the line."""
    number = 0
    while line := await asyncio.to_thread(stdin.readline):
        number += 1
        if line.strip():
            yield Prompt(text=_user_text(line, number), by="script")


def _user_text(line: str, number: int) -> str:
    where = f"stdin:{number}"
    hint = 'One line looks like {"type":"user","message":{"role":"user","content":"…"}}.'
    try:
        record = json.loads(line)
        content = record["message"]["content"]
        if isinstance(content, str):
            return content
        return "\n".join(block["text"] for block in content if block["type"] == "text")
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"not a user message: {error}", where=where, hint=hint) from error
