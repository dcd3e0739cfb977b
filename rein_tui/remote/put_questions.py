"""The questions that a server put to this screen: each is asked once here, and its answer sent."""

import asyncio

from rein_tui.harness.protocol.ports import Prompter

from .link import Link
from .wire import AskPermission, AskQuestion, AskTrust, Question
from .wire import requests as ask


class PutQuestions:
    """Open questions by session and id; the prompter answers them."""

    def __init__(self, link: Link, prompter: Prompter) -> None:
        self._link = link
        self._prompter = prompter
        self._open: dict[tuple[str, str], asyncio.Task[None]] = {}

    def put(self, question: Question) -> None:
        """Ask this, unless it is being asked already: a server repeats its questions after a lost connection."""
        key = (question.session, question.request.id)
        if key in self._open:
            return
        task = asyncio.create_task(self._answer(question))
        self._open[key] = task
        task.add_done_callback(lambda _: self._open.pop(key, None) if self._open.get(key) is task else None)

    def withdraw(self, session: str, question_id: str = "") -> None:
        """Ask this no more; without an id, nothing of the session."""
        for key in [key for key in self._open if key[0] == session and question_id in ("", key[1])]:
            self._open.pop(key).cancel()

    async def close(self) -> None:
        """Ask nothing more."""
        tasks = list(self._open.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, question: Question) -> None:
        session, number = question.session, question.request.id
        match question:
            case AskPermission(request=request):
                reply = await self._prompter.ask(request)
                self._link.say(ask.AnswerPermission(session=session, id=number, reply=reply))
            case AskQuestion(request=request):
                answer = await self._prompter.question(request)
                self._link.say(ask.AnswerQuestion(session=session, id=number, reply=answer))
            case AskTrust(request=request):
                trust = await self._prompter.trust(request)
                self._link.say(ask.AnswerTrust(session=session, id=number, reply=trust))
