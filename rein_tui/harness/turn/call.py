"""One call on its way through the gate: hook → permission → run → hook.

Whatever happens, the call ends in exactly one ToolCallFinished, told by `CallPassage.run`; only cancellation
leaves that to the gate.
"""

import json
import time
from collections.abc import Sequence
from typing import Literal

from msgspec import structs

from ..hooks.result_shapes import api_content, text_of, tool_response
from ..protocol.base import JsonObject
from ..protocol.events import CwdChanged, Event, ToolCallFinished, ToolCallStarted
from ..protocol.hooks import HookOutcome
from ..protocol.messages import ResultContent
from ..protocol.ports import Emit
from ..protocol.tools import Tool, ToolContext, ToolResult
from .consent import Consent
from .moments import follow
from .parts import Parts
from .prepared import Prepared
from .underway import Refused, Underway

LONGEST_ERROR = 10_000
"""Characters of an error that PostToolUseFailure hooks are told."""


class CallPassage:
    """One prepared call, passed through the gate. After `run`, `call.stop` says whether the turn must end and why."""

    def __init__(self, prepared: Prepared, tool: Tool, parts: Parts, tell: Emit, pending: Sequence[str] = ()) -> None:
        self.call = Underway(
            use=prepared.use,
            tool=tool,
            parts=parts,
            tell=tell,
            input=prepared.input,
            value=prepared.value,
            summary=prepared.summary,
            repaired=prepared.repaired,
            pending=tuple(pending),
        )
        self._moved: CwdChanged | None = None
        self._asked_at = time.perf_counter()
        self._response: ResultContent = ""

    @property
    def record(self) -> JsonObject:
        """The call as PostToolBatch hooks read it, once it is over: what it ran with, and the answer."""
        call = self.call
        return {
            "tool_name": call.tool.name,
            "tool_input": call.input,
            "tool_use_id": call.use.id,
            "tool_response": api_content(self._response),
        }

    async def run(self) -> None:
        """The whole way; tells every fact of the call from its hooks to ToolCallFinished."""
        call = self.call
        try:
            hooked = await self._before()
            approved_by = await Consent(call, hooked, self._context()).obtain()
            if call.parts.keep is not None:
                await call.parts.keep(call)
        except Refused as refused:
            await self._finish(ToolResult(content=refused.content, is_error=True), refused.outcome, 0.0)
            return
        await call.tell(
            ToolCallStarted(
                call_id=call.use.id,
                name=call.tool.name,
                input=call.input,
                edited_by=tuple(call.edited_by),
                queued=time.perf_counter() - self._asked_at,
            )
        )
        started = time.perf_counter()
        result = await call.tool.run(call.value, self._context(approved_by))
        duration = time.perf_counter() - started
        await follow(call.parts, self._moved, call.tell, call_id=call.use.id)
        result = await self._after(result, duration)
        outcome = "interrupted" if result.interrupted else "error" if result.is_error else "ok"
        await self._finish(result, outcome, duration)

    def _context(self, approved_by: str = "") -> ToolContext:
        parts = self.call.parts
        return ToolContext(
            call_id=self.call.use.id,
            workspace=parts.workspace,
            emit=self._emit,
            prompter=parts.prompter,
            interactive=parts.interactive,
            agent_id=parts.agent.id,
            agent_type=parts.agent.type,
            depth=parts.agent.depth,
            approved_by=approved_by,
        )

    async def _emit(self, event: Event) -> None:
        """What the tool tells while it runs; a change of folder is kept for its hooks."""
        if isinstance(event, CwdChanged):
            self._moved = event
        await self.call.tell(event)

    async def _before(self) -> HookOutcome:
        outcome = await self.call.fire("PreToolUse", tool_use_id=self.call.use.id)
        self.call.added += outcome.context
        if outcome.updated_input is not None:
            names = [r.hook.name for r in outcome.runs if r.updated_input is not None]
            self.call.replace_input(outcome.updated_input, f"hook {names[-1]}" if names else "hook")
        if outcome.stop:
            raise Refused(f"Not run: a hook stopped the turn. {outcome.stop_reason}".strip())
        return outcome

    async def _after(self, result: ToolResult, duration: float) -> ToolResult:
        """The result as the hooks leave it; what they have to say goes to the model beside it."""
        call = self.call
        outcome = await self._fire_after(result, round(duration * 1000))
        if call.parts.after_call is not None and not result.is_error:
            call.added += call.parts.after_call(call.tool.name, call.input)
        if outcome.runs and call.parts.after_hooks is not None:
            call.parts.after_hooks(call.tool.name, call.input)
        call.added += outcome.context
        if outcome.reason and (outcome.blocked or outcome.verdict == "deny"):
            call.added.append(outcome.reason)
        call.added += outcome.feedback
        output = outcome.updated_output
        if isinstance(output, str):
            return structs.replace(result, content=output)
        if output is not None:
            return structs.replace(result, content=_shown_to_model(output), response=output)
        return result

    async def _fire_after(self, result: ToolResult, milliseconds: int) -> HookOutcome:
        call = self.call
        if result.is_error or result.interrupted:
            return await call.fire(
                "PostToolUseFailure",
                tool_use_id=call.use.id,
                error=_shortened(text_of(result.content)),
                is_interrupt=result.interrupted,
                duration_ms=milliseconds,
            )
        return await call.fire(
            "PostToolUse",
            tool_use_id=call.use.id,
            tool_response=tool_response(call.tool.name, result.response, result.content),
            duration_ms=milliseconds,
        )

    async def _finish(
        self,
        result: ToolResult,
        outcome: Literal["ok", "error", "denied", "interrupted", "invalid"],
        duration: float,
    ) -> None:
        self._response = result.content
        await self.call.tell(
            ToolCallFinished(
                call_id=self.call.use.id,
                name=self.call.tool.name,
                outcome=outcome,
                content=result.content,
                display=result.display,
                response=result.response,
                duration=duration,
                added=tuple(self.call.added),
            )
        )


def _shown_to_model(response: JsonObject) -> str:
    """What the model gets of a structured output that a hook put in the place of the tool's."""
    printed = [response.get(name) for name in ("stdout", "stderr")]
    texts = [text for text in printed if isinstance(text, str) and text]
    return "\n".join(texts) if "stdout" in response else json.dumps(response, ensure_ascii=False)


def _shortened(text: str) -> str:
    """The beginning and the end of what is too long for a hook."""
    left_out = len(text) - LONGEST_ERROR
    half = LONGEST_ERROR // 2
    return text if left_out <= 0 else f"{text[:half]}\n[... {left_out:,} characters left out ...]\n{text[-half:]}"
