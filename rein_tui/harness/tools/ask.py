"""AskUserQuestion: the model puts questions to the person."""

import asyncio
import secrets
import time
from typing import Annotated

import msgspec

from ..processes.process import uninterrupted
from ..protocol.decisions import Option, Question, QuestionReply, QuestionRequest
from ..protocol.displays import TextDisplay
from ..protocol.events import QuestionAnswered, QuestionAsked
from ..protocol.tools import InvalidInput, ToolContext, ToolResult
from .base import BaseTool, ToolInput, failed, one_line


class Choice(ToolInput, frozen=True, kw_only=True):
    """One choice."""

    label: str
    description: str = ""


class Asked(ToolInput, frozen=True, kw_only=True, rename="camel"):
    """One question."""

    question: str
    header: Annotated[str, msgspec.Meta(description="Very short title")] = ""
    options: Annotated[tuple[Choice, ...], msgspec.Meta(description="2 to 4 choices")] = ()
    multi_select: bool = False


class AskUserQuestionInput(ToolInput, frozen=True, kw_only=True):
    """The questions; `answers` is there when a hook has answered for the person."""

    questions: tuple[Asked, ...]
    answers: dict[str, str] | None = None


class AskUserQuestion(BaseTool[AskUserQuestionInput]):
    """Asks the person."""

    name = "AskUserQuestion"
    input_type = AskUserQuestionInput
    hidden_fields = ("answers",)
    read_only = True

    @property
    def asks_itself(self) -> bool:
        """It is the question."""
        return True

    @property
    def requires_person(self) -> bool:
        """Only the person can answer."""
        return True

    def check(self, value: AskUserQuestionInput) -> None:
        """There must be something to ask."""
        if not value.questions:
            raise InvalidInput('AskUserQuestion: field "questions" is empty')

    def summarize(self, value: AskUserQuestionInput) -> str:
        """The first question."""
        return one_line(f"AskUserQuestion {value.questions[0].question}")

    async def run(self, value: AskUserQuestionInput, context: ToolContext) -> ToolResult:
        """Ask, and wait for the answer."""
        if value.answers is not None:
            reply = QuestionReply(answers=value.answers)
        elif not context.interactive:
            return failed("Nobody is there to answer. Decide yourself, and say what you assumed.")
        else:
            reply = await self._ask(value, context)
        if reply.cancelled:
            return failed("The person did not want to answer. Go on without, or ask in words.")
        told = ", ".join(f'"{question}"="{answer}"' for question, answer in reply.answers.items())
        return ToolResult(
            content=f"The person answered: {told}",
            display=TextDisplay(text="\n".join(f"{q}\n  {a}" for q, a in reply.answers.items())),
            response={"questions": [msgspec.to_builtins(asked) for asked in value.questions], "answers": reply.answers},
        )

    async def _ask(self, value: AskUserQuestionInput, context: ToolContext) -> QuestionReply:
        questions = tuple(
            Question(
                question=asked.question,
                header=asked.header,
                options=tuple(Option(label=o.label, description=o.description) for o in asked.options),
                multi_select=asked.multi_select,
            )
            for asked in value.questions
        )
        request = QuestionRequest(
            id=secrets.token_hex(6), questions=questions, call_id=context.call_id, agent=context.agent_id
        )
        await context.emit(QuestionAsked(request=request))
        asked_at = time.monotonic()
        reply = QuestionReply(cancelled=True)
        try:
            reply = await context.prompter.question(request)
        except asyncio.CancelledError:
            await uninterrupted(_tell(request, reply, asked_at, context))
            raise
        await _tell(request, reply, asked_at, context)
        return reply


async def _tell(request: QuestionRequest, reply: QuestionReply, asked_at: float, context: ToolContext) -> None:
    await context.emit(QuestionAnswered(request_id=request.id, reply=reply, waited=time.monotonic() - asked_at))
