"""The workbench of a screen whose harness is elsewhere: workbench.Workbench over a link."""

import asyncio
import time
import uuid
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Literal

from rein_tui.harness.protocol.errors import ReinError, StartError
from rein_tui.harness.protocol.events import Fact, Notice
from rein_tui.harness.protocol.models import ModelInfo
from rein_tui.harness.protocol.ports import MOST_LISTED, Harness, Prompter, SessionInfo
from rein_tui.harness.protocol.workbench import (
    CommandInfo,
    ExportForm,
    ExtensionRow,
    FoundServer,
    ModelChoice,
    ModelProbe,
)

from .calming import complaint
from .link import Link, SocketLink
from .local_link import LocalLink
from .put_questions import PutQuestions
from .remote_lists import RemoteLists
from .remote_session import RemoteSession
from .wire import (
    AskPermission,
    AskQuestion,
    AskTrust,
    Attached,
    FactsPart,
    Fault,
    OwnerGone,
    RoleChanged,
    ServerFrame,
    SessionGone,
    Told,
    Withdrawn,
)
from .wire import adjust_requests as adjust
from .wire import requests as ask

_GOODBYE = 1.0
"""Seconds that leaving may take."""


class RemoteWorkbench:
    """workbench.Workbench elsewhere. Make it, `prepare` it (that connects), `close` it.

    `place` says where its sessions run; empty for this program. `watch` opens sessions to look on only; `claim` takes
    them from whoever owns them.
    """

    def __init__(
        self,
        link: "SocketLink | LocalLink",
        prompter: Prompter,
        *,
        watch: bool = False,
        claim: bool = False,
        system_prompt: str | None = None,
    ) -> None:
        self.choice: ModelChoice | None = None
        self.lists = RemoteLists(link)
        self._link: Link = link
        self._role: Literal["owner", "observer"] = "observer" if watch else "owner"
        self._claim = claim
        self._system_prompt = system_prompt
        self._sessions: dict[str, RemoteSession] = {}
        self._questions = PutQuestions(link, prompter)
        self._early: dict[str, list[Told]] = {}
        self._last = ""
        self._connect: Callable[[], Coroutine[Any, Any, None]] | None = link.connect
        link.on_frame = self._take
        link.on_refused = self._tell_refused
        self.place = ""
        if isinstance(link, SocketLink):
            self.place = link.name
            link.on_connected = partial(self._attach_again, link)
            link.on_state = self._tell_state

    # --- workbench.Workbench ------------------------------------------------------------------------------------

    async def prepare(self) -> None:
        """Connect and look around; a second time it only looks. Raises StartError."""
        if self._connect is not None:
            await self._connect()
            self._connect = None
        self.choice = self._link.welcome.choice
        await self.lists.prepare()

    async def open(self, session_id: str = "") -> Harness:
        """A new session there, or one that is stored or runs there."""
        request = ask.Open(
            session=session_id,
            role=self._role,
            system_prompt=None if session_id else self._system_prompt,
            key="" if session_id else uuid.uuid4().hex,
        )
        session = await self._joined(await self._link.ask(request, Attached))
        if self._claim and session.role != "owner":
            await session.claim()
        elif session.role != "owner":
            text = "You watch this session; who owns it prompts and answers."
            session.tell_aside(Notice(text=text, hint="/claim makes it yours.", code="role", time=time.time()))
        return session

    async def fork(self, session_id: str, turn: int) -> Harness:
        """A new session there that shares the story up to the end of that turn."""
        request = ask.Fork(session=session_id, turn=turn, key=uuid.uuid4().hex)
        return await self._joined(await self._link.ask(request, Attached))

    async def clear(self, session_id: str) -> Harness:
        """A new session there in the place of that one."""
        request = adjust.Clear(session=session_id, key=uuid.uuid4().hex)
        return await self._joined(await self._link.ask(request, Attached))

    async def _joined(self, attached: Attached) -> RemoteSession:
        session = RemoteSession(self._link, attached)
        self._sessions[session.id] = session
        self._last = session.id
        for told in self._early.pop(session.id, ()):
            session.heard.told(told.events)
        await session.heard.caught_up()
        await self.lists.look_around()
        return session

    async def files(self, hides_ignored: bool) -> Sequence[str]:
        """See workbench.Elsewhere; none while nobody answers. What is hidden is decided there."""
        if not self._last:
            return ()
        try:
            return await self._link.ask(adjust.ListFiles(session=self._last), tuple[str, ...])
        except ReinError:
            return ()

    def sessions(self, search: str = "", everywhere: bool = False, limit: int = MOST_LISTED) -> Sequence[SessionInfo]:
        """The list as heard last; `changed` is called when it is another by now."""
        return self.lists.sessions(search, everywhere, limit)

    def facts(self, session_id: str) -> Sequence[Fact]:
        """The stored facts of a session; the screen waits for them. Raises StoreError, StartError."""
        facts: list[Fact] = []
        while True:
            part = self._link.ask_now(ask.FetchFacts(session=session_id, start=len(facts)), FactsPart)
            facts += part.facts
            if not part.next:
                return facts

    def export(self, session_id: str, form: ExportForm) -> bytes:
        """A session as a document, made here of its facts. Raises StoreError, StartError."""
        from rein_tui.harness.store.export import export

        known = self._sessions.get(session_id)
        info = known.info if known is not None else self.lists.info(session_id)
        return export(form, info, known.history() if known is not None else self.facts(session_id))

    def commands(self) -> Sequence[CommandInfo]:
        """Slash commands that files there define."""
        return self.lists.commands

    def extensions(self) -> Sequence[ExtensionRow]:
        """What files and plugins bring there, as heard last."""
        return self.lists.extensions

    def look_for_commands(self) -> None:
        """Ask for them anew; what is new is there the next time that somebody looks."""
        self.lists.look_for_commands()

    async def learn(self) -> None:
        """See workbench.Elsewhere."""
        await self.lists.learn()

    async def reload_extensions(self) -> Sequence[ExtensionRow]:
        """Find them anew, there. Raises ReinError."""
        return await self.lists.reload_extensions()

    async def probe(self) -> ModelProbe:
        """Try out whether the model in use calls tools. Raises ProviderError, StartError."""
        return await self._link.ask(ask.ProbeModel(), ModelProbe)

    def rename(self, session_id: str, title: str) -> None:
        """Give a session a title."""
        self._link.say(ask.Rename(session=session_id, title=title))

    def delete(self, session_id: str) -> None:
        """Delete a session there."""
        self._link.say(ask.Delete(session=session_id))

    def undelete(self, session_id: str) -> None:
        """Take a deletion back."""
        self._link.say(ask.Undelete(session=session_id))

    async def find_servers(self) -> tuple[FoundServer, ...]:
        """Model servers on the harness's machine."""
        return await self._link.ask(ask.FindServers(), tuple[FoundServer, ...])

    async def models(self) -> tuple[ModelInfo, ...]:
        """What the current provider offers. Raises ProviderError."""
        return await self._link.ask(ask.ListModels(), tuple[ModelInfo, ...])

    async def choose(self, choice: ModelChoice, api_key: str = "") -> None:
        """Use this model from now on. Raises ProviderError, StartError."""
        self.choice = await self._link.ask(ask.Choose(choice=choice, api_key=api_key), ModelChoice)

    async def close(self) -> None:
        """Leave; turns go on there."""
        await self._leave()
        await self._questions.close()
        await self.lists.close()
        await self._link.close()
        for session in self._sessions.values():
            session.heard.fail(StartError("The connection is closed."))

    async def _leave(self) -> None:
        """Say so, if anybody hears it: then the seat is free at once."""
        try:
            async with asyncio.timeout(_GOODBYE):
                for session in list(self._sessions):
                    await self._link.ask(ask.Leave(session=session), object)
        except (ReinError, TimeoutError):
            return

    # --- frames ---------------------------------------------------------------------------------------------

    def _take(self, frame: ServerFrame) -> None:
        match frame:
            case Told():
                session = self._sessions.get(frame.session)
                if session is not None and frame.session not in self._early:
                    session.heard.told(frame.events)
                else:  # told before its reply was read
                    self._early.setdefault(frame.session, []).append(frame)
            case AskPermission() | AskQuestion() | AskTrust():
                self._questions.put(frame)
            case Withdrawn():
                self._questions.withdraw(frame.session, frame.id)
            case RoleChanged():
                self._change_role(frame)
            case OwnerGone():
                self._tell_left(frame)
            case SessionGone():
                session = self._sessions.pop(frame.session, None)
                if session is not None:
                    session.heard.fail(StartError(f"The session is gone: {frame.reason}."))
            case Fault():
                for session in self._sessions.values():
                    session.tell_aside(Notice(text=frame.failure.message, level="warning", code="connection"))
            case _:
                pass

    def _change_role(self, changed: RoleChanged) -> None:
        session = self._sessions.get(changed.session)
        if session is None:
            return
        session.role = changed.role
        if changed.role == "observer":
            self._questions.withdraw(changed.session)
        text = "This session is yours now." if changed.role == "owner" else "Somebody else took this session over."
        session.tell_aside(Notice(text=text, code="role", time=time.time()))

    def _tell_left(self, gone: OwnerGone) -> None:
        session = self._sessions.get(gone.session)
        if session is not None:
            text = (
                f"Its owner's connection broke; the seat is kept for {gone.kept:g} s."
                if gone.kept
                else "Its owner left."
            )
            session.tell_aside(Notice(text=text, hint="/claim makes it yours.", code="role", time=time.time()))

    # --- the connection -------------------------------------------------------------------------------------

    async def _attach_again(self, link: SocketLink) -> None:
        """Attach to every session again; when the connection breaks meanwhile, the next one begins anew."""
        for session in list(self._sessions.values()):
            request = ask.Open(
                session=session.id,
                role=self._role,
                epoch=session.heard.epoch,
                after=session.heard.seen,
                anew=not session.info.turns,
                system_prompt=self._system_prompt,
            )
            self._early[session.id] = []
            try:
                attached = await link.ask_first(request, Attached)
            except ReinError as error:
                del self._sessions[session.id]
                session.tell_aside(complaint(error))
                session.heard.fail(error)
                continue
            finally:
                early = self._early.pop(session.id)
            session.reattached(attached)
            for told in early:
                session.heard.told(told.events)

    def _tell_state(self, text: str, error: ReinError | None) -> None:
        for session in self._sessions.values():
            hint = error.hint if error is not None else ""
            level = "error" if error is not None else "info"
            session.tell_aside(Notice(text=text, level=level, hint=hint, code="connection", time=time.time()))
            if error is not None:
                session.heard.fail(error)

    def _tell_refused(self, request: ask.Request, error: ReinError) -> None:
        """Say what was not done where the person looks: in its session, else in all."""
        own = self._sessions.get(getattr(request, "session", ""))
        for session in [own] if own is not None else self._sessions.values():
            session.tell_aside(complaint(error))
