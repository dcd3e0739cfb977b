"""Puts the harness's questions to the person by way of modals, one at a time, never into their typing.

Built before the app (the harness needs it), bound when the app starts.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

from rein_tui.harness.protocol.decisions import PermissionReply, PermissionRequest, QuestionReply, QuestionRequest
from rein_tui.harness.protocol.policy import TrustReply, TrustRequest

if TYPE_CHECKING:
    from textual.app import App

    from rein_tui.app import ReinApp
    from rein_tui.asking import Asking
    from rein_tui.widgets.modal import Modal

TYPING_PAUSE = 1.0
"""Seconds without a key before a question opens."""
GRACE = 0.5
"""Seconds during which an opened question takes no keys."""

ReplyT = TypeVar("ReplyT")


class ModalPrompter:
    """ports.Prompter on a screen."""

    def __init__(self, *, typing_pause: float = TYPING_PAUSE, grace: float = GRACE) -> None:
        self._app: ReinApp | None = None
        self._lock = asyncio.Lock()
        self._typing_pause = typing_pause
        self._grace = grace
        self._asking: Asking | None = None
        self._context = copy_context()

    def bind(self, app: "ReinApp") -> None:
        """From now on questions appear in this app. Called by the app itself, in whose context modals are made."""
        self._app = app
        self._context = copy_context()

    async def ask(self, request: PermissionRequest) -> PermissionReply:
        """Ask whether a call may run. A modal closed without an answer is a no."""
        from rein_tui.asking import Asking
        from rein_tui.widgets.permission_modal import PermissionModal

        asking = self._asking = self._asking or Asking()

        async def make(app: "ReinApp") -> "Modal[PermissionReply]":
            docket = await asking.docket(
                request, app.desk.harnesses, lambda session_id: app.start_work(app.desk.look_at(session_id))
            )
            return PermissionModal(request, docket=docket, grace=self._grace)

        return asking.answered(request) or await self._put(make) or PermissionReply(answer="deny")

    async def question(self, request: QuestionRequest) -> QuestionReply:
        """Ask a person something else."""
        from rein_tui.asking import who_asks
        from rein_tui.widgets.question_modal import QuestionModal

        async def make(app: "ReinApp") -> "Modal[QuestionReply]":
            harnesses = app.desk.harnesses
            asking = who_asks(request.id, harnesses)
            is_elsewhere = asking is not None and asking is not harnesses[0]
            session = asking.info.title or asking.info.id if asking is not None and is_elsewhere else ""
            return QuestionModal(request, session=session, grace=self._grace)

        reply = await self._put(make)
        return reply or QuestionReply(cancelled=True)

    async def trust(self, request: TrustRequest) -> TrustReply:
        """Ask whether the person trusts a folder. A modal closed without an answer is a no."""
        from rein_tui.widgets.trust_modal import TrustModal

        async def make(_: "ReinApp") -> "Modal[TrustReply]":
            return TrustModal(request, grace=self._grace)

        reply = await self._put(make)
        return reply or TrustReply()

    async def _put(self, make: "Callable[[ReinApp], Awaitable[Modal[ReplyT]]]") -> ReplyT | None:
        app = self._app
        if app is None:
            raise RuntimeError("a question was asked before the app was bound")
        return await asyncio.create_task(self._shown(app, make), context=self._context)

    async def _shown(self, app: "ReinApp", make: "Callable[[ReinApp], Awaitable[Modal[ReplyT]]]") -> ReplyT | None:
        """Whoever asks may know no app: a connection that was there before it."""
        async with self._lock:
            await self._typing_rest(app)
            app.attention.call("needs you")
            return await ask_modal(app, await make(app))

    async def _typing_rest(self, app: "ReinApp") -> None:
        rest = app.last_typed + self._typing_pause - time.monotonic()
        if rest > 0:
            await asyncio.sleep(rest)
            await self._typing_rest(app)


async def ask_modal(app: "App[Any]", modal: "Modal[ReplyT]") -> ReplyT | None:
    """Put a modal up and wait for its answer; None when it was closed without one.

    Never from a message handler, which would stop the messages that the modal needs. Cancelling withdraws the
    modal: Textual's own `push_screen_wait` shields its waiter and would leave it on the screen.
    """
    answer: asyncio.Future[ReplyT | None] = asyncio.get_running_loop().create_future()

    def answered(reply: ReplyT | None) -> None:
        if not answer.done():
            answer.set_result(reply)

    app.push_screen(modal, answered)
    try:
        return await answer
    finally:
        _withdraw(app, modal)


def _withdraw(app: "App[Any]", modal: "Modal[ReplyT]") -> None:
    """Take a question that nobody answered off the screen, with whatever it had opened above itself."""
    if modal not in app.screen_stack or not modal.is_running:
        return
    while app.screen is not modal:
        app.pop_screen()
    modal.dismiss(None)
