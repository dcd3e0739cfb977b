"""The harness's questions as permission dialogs of an editor."""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Protocol

from acp import RequestError, schema

from rein_tui.harness.protocol.decisions import PermissionReply, PermissionRequest, QuestionReply, QuestionRequest
from rein_tui.harness.protocol.policy import TrustReply, TrustRequest

from .acp_updates import shown

asking: ContextVar[str] = ContextVar("acp_session", default="")
"""Which session the running task asks for; tasks that it starts inherit it."""


class Editor(Protocol):
    """What the agent asks of the editor's side of the connection."""

    async def request_permission(
        self, session_id: str, tool_call: schema.ToolCallUpdate, options: list[schema.PermissionOption], **kwargs: Any
    ) -> schema.RequestPermissionResponse:
        """Let the person choose."""
        ...

    async def session_update(self, session_id: str, update: Any, **kwargs: Any) -> None:
        """Tell what happens."""
        ...


class EditorPrompter:
    """ports.Prompter by way of the editor's permission dialogs."""

    def __init__(self, editor: Callable[[], Editor]) -> None:
        self._editor = editor
        self._lock = asyncio.Lock()

    async def ask(self, request: PermissionRequest) -> PermissionReply:
        """Ask whether a call may run; a dialog that was cancelled is a no."""
        suggestion = next(iter(request.decision.suggestions), None)
        options = [schema.PermissionOption(option_id="once", name="Allow once", kind="allow_once")]
        if suggestion is not None:
            name = f"Allow for this session: {suggestion.label}"
            options.append(schema.PermissionOption(option_id="session", name=name, kind="allow_always"))
        options.append(schema.PermissionOption(option_id="deny", name="Deny", kind="reject_once"))
        call = schema.ToolCallUpdate(
            tool_call_id=request.call_id,
            title=request.summary,
            status="pending",
            content=shown(request.preview) or None,
            raw_input=request.input,
        )
        try:
            chosen = await self._chosen(call, options)
        except RequestError as error:  # an editor that shows no dialogs: nobody can answer
            return PermissionReply(answer="deny", answered_by="policy", words=f"The editor cannot ask: {error}")
        match chosen:
            case "once":
                return PermissionReply(answer="once")
            case "session" if suggestion is not None:
                return PermissionReply(answer="session", rules=suggestion.rules)
            case "":
                return PermissionReply(answer="stop")
            case _:
                return PermissionReply(answer="deny")

    async def question(self, request: QuestionRequest) -> QuestionReply:
        """Ask each question as a choice; questions without choices cannot be asked here."""
        answers: dict[str, str] = {}
        for number, question in enumerate(request.questions):
            options = [
                schema.PermissionOption(option_id=str(place), name=option.label, kind="allow_once")
                for place, option in enumerate(question.options)
            ]
            call_id = request.call_id or f"{request.id}_{number}"
            call = schema.ToolCallUpdate(tool_call_id=call_id, title=question.question, status="pending")
            try:
                chosen = await self._chosen(call, options) if options else ""
            except RequestError:
                chosen = ""
            if not chosen.isdecimal():
                return QuestionReply(cancelled=True)
            answers[question.question] = question.options[int(chosen)].label
        return QuestionReply(answers=answers)

    async def trust(self, request: TrustRequest) -> TrustReply:
        """There is no session yet to ask in: trust a folder in a terminal, or start with --trust."""
        return TrustReply(unanswered=True)

    async def _chosen(self, call: schema.ToolCallUpdate, options: list[schema.PermissionOption]) -> str:
        """The id of the chosen option, or nothing. Raises RequestError when the editor shows no dialog."""
        session_id = asking.get()
        if not session_id:
            return "deny"
        async with self._lock:
            response = await self._editor().request_permission(session_id, call, options)
        outcome = response.outcome
        return outcome.option_id if isinstance(outcome, schema.AllowedOutcome) else ""
