"""What servers may ask of us: which folders there are, a form for the person, an answer of the model.

The first is told; the other two go through the person. In protocol terms: roots, elicitation, sampling.
"""

import secrets
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ...processes.browser import open_in_browser
from ...processes.process import uninterrupted
from ...protocol.decisions import Option, Question, QuestionReply, QuestionRequest
from ...protocol.errors import ProviderError
from ...protocol.events import Event, Notice, QuestionAnswered, QuestionAsked
from ...protocol.ports import Emit, Prompter
from .form import Action, fields_of, put

if TYPE_CHECKING:
    from mcp.client import ClientRequestContext
    from mcp.types import (
        CreateMessageRequestParams,
        CreateMessageResult,
        ElicitRequestParams,
        ElicitRequestURLParams,
        ElicitResult,
        ErrorData,
        ListRootsResult,
    )

SHOWN = 2000
"""Characters of a server's prompt that the person sees before it goes to the model."""

_ONCE, _SESSION, _NO = "Answer this once", "Answer for this session", "Do not answer"
_OPEN, _LEAVE = "Open it in the browser", "Do not open it"
_AGAIN, _GIVE_UP = "Call it again", "Leave it"
_MOST_ADDRESSES = 5

AskModel = Callable[[str, str, int], Awaitable[tuple[str, str]]]
"""Prompt, system prompt, most tokens → the answer and the model's name. Raises ProviderError."""


async def _nobody(event: Event) -> None:
    """Nobody hears of it yet."""


@dataclass(slots=True)
class Host:
    """The session as servers may use it. `tell` stores facts that belong to no call."""

    prompter: Prompter
    folders: Callable[[], Iterable[Path]]
    tell: Emit = _nobody
    ask_model: AskModel | None = None
    interactive: bool = True
    _sampling: set[str] = field(default_factory=set[str])

    async def question(self, request: QuestionRequest, emit: Emit | None = None) -> QuestionReply:
        """Put a question and tell about it. Where nobody is there to answer it counts as cancelled."""
        if not self.interactive:
            return QuestionReply(cancelled=True)
        emit = emit or self.tell
        await emit(QuestionAsked(request=request))
        asked_at, reply = time.monotonic(), QuestionReply(cancelled=True)
        try:
            reply = await self.prompter.question(request)
        finally:
            told = QuestionAnswered(request_id=request.id, reply=reply, waited=time.monotonic() - asked_at)
            await uninterrupted(emit(told))
        return reply

    def may_sample(self, server: str) -> bool:
        """Whether the person has said yes for the whole session."""
        return server in self._sampling

    def let_sample(self, server: str) -> None:
        """The person said yes for the whole session."""
        self._sampling.add(server)


@dataclass(slots=True)
class Desk:
    """Answers one server's requests. `emit` tells inside the call that runs, `call_id` names it."""

    server: str
    host: Host
    around: Callable[[], tuple[str, Emit | None]] = lambda: ("", None)
    hold: Callable[[bool], None] = lambda held: None

    async def roots(self, context: "ClientRequestContext") -> "ListRootsResult":
        """The folders that the session works in."""
        from mcp.types import ListRootsResult, Root

        roots = [{"uri": folder.as_uri(), "name": folder.name} for folder in self.host.folders()]
        return ListRootsResult(roots=[Root.model_validate(root) for root in roots])

    async def elicit(
        self, context: "ClientRequestContext", params: "ElicitRequestParams"
    ) -> "ElicitResult | ErrorData":
        """A server's form, or an address that it wants opened."""
        from mcp.types import ElicitResult

        if params.mode == "url":
            return ElicitResult(action=await self._opens(params.message, params.url, *self.around()))
        call_id, emit = self.around()

        async def ask(questions: tuple[Question, ...]) -> QuestionReply:
            title = f"{self.server} asks: {params.message}"[:SHOWN]
            return await self._question(questions, title, call_id, emit, can_decline=bool(schema))

        schema = fields_of(params.requested_schema)
        action, content = await put(schema, ask, params.message)
        return ElicitResult(action=action, content=content if action == "accept" else None)

    async def prepare(self, wanted: "Sequence[ElicitRequestURLParams]", call_id: str, emit: Emit | None) -> bool:
        """Addresses that the server wants visited before it takes a call: whether the call may be made again."""
        for each in wanted[:_MOST_ADDRESSES]:
            if await self._opens(each.message, each.url, call_id, emit) != "accept":
                return False
        asked = Question(
            question=f"{self.server} takes the call once you are done in the browser.",
            header="Call again",
            options=(Option(label=_AGAIN), Option(label=_GIVE_UP)),
        )
        reply = await self._question((asked,), f"{self.server} asks", call_id, emit)
        return _AGAIN in reply.answers.values()

    async def _opens(self, message: str, url: str, call_id: str, emit: Emit | None) -> Action:
        if not url.startswith(("https://", "http://")):
            return "decline"
        text = f"{message}\n\nThe server {self.server} wants this address opened:\n{url}"
        asked = Question(question=text[:SHOWN], header="Open", options=(Option(label=_OPEN), Option(label=_LEAVE)))
        reply = await self._question((asked,), f"{self.server} asks", call_id, emit)
        if _OPEN not in reply.answers.values():
            return "cancel" if reply.cancelled else "decline"
        if not await open_in_browser(url):
            await (emit or self.host.tell)(
                Notice(text=f"No browser opened here. Open it yourself: {url}", code="mcp.open")
            )
        return "accept"

    async def _question(
        self,
        questions: tuple[Question, ...],
        title: str,
        call_id: str,
        emit: Emit | None,
        *,
        can_decline: bool = False,
    ) -> QuestionReply:
        number = f"mcp_{secrets.token_hex(6)}"
        request = QuestionRequest(id=number, questions=questions, title=title, call_id=call_id, can_decline=can_decline)
        self.hold(True)
        try:
            return await self.host.question(request, emit)
        finally:
            self.hold(False)

    async def sample(
        self, context: "ClientRequestContext", params: "CreateMessageRequestParams"
    ) -> "CreateMessageResult | ErrorData":
        """A server wants an answer of the model: the person decides."""
        from mcp.types import INVALID_REQUEST, CreateMessageResult, ErrorData, TextContent

        prompt = _prompt(params)
        ask = self.host.ask_model
        if ask is None or not await self._may_sample(prompt, params.system_prompt or ""):
            return ErrorData(code=INVALID_REQUEST, message="The person did not allow this request to the model.")
        try:
            text, model = await ask(prompt, params.system_prompt or "", params.max_tokens)
        except ProviderError as problem:
            return ErrorData(code=INVALID_REQUEST, message=f"The model did not answer: {problem.message}")
        content = TextContent(type="text", text=text)
        return CreateMessageResult(role="assistant", content=content, model=model, stop_reason="endTurn")

    async def _may_sample(self, prompt: str, system: str) -> bool:
        if self.host.may_sample(self.server):
            return True
        shown = f"{system}\n\n{prompt}".strip()
        cut = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]} … ({len(shown) - SHOWN:,} more characters)"
        asked = Question(
            question=f"The server {self.server} wants your model to answer this:\n\n{cut}",
            header="Sampling",
            options=(Option(label=_ONCE), Option(label=_SESSION), Option(label=_NO)),
        )
        call_id, emit = self.around()
        reply = await self._question((asked,), f"{self.server} asks your model", call_id, emit)
        answer = next(iter(reply.answers.values()), "")
        if answer == _SESSION:
            self.host.let_sample(self.server)
        return answer in (_ONCE, _SESSION)


def _prompt(params: "CreateMessageRequestParams") -> str:
    """The messages as one text; what is not text is named."""
    parts: list[tuple[str, str]] = []
    for message in params.messages:
        for block in message.content_as_list:
            parts.append((message.role, block.text if block.type == "text" else f"[{block.type}]"))
    if len(parts) == 1:
        return parts[0][1]
    return "\n\n".join(f"{role}: {text}" for role, text in parts)
