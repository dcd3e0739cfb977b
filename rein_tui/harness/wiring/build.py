"""Builds the house: store, models, trust, sessions.

Only cli calls it; only it and assembly.py know concrete classes.
"""

import asyncio
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from ..demo.project import make_scratch_project, remove_scratch_project
from ..demo.script import FIRST_PROMPT
from ..places import Places
from ..plugins.extensions import Extensions
from ..protocol.engines import Journal
from ..protocol.errors import StartError
from ..protocol.events import Fact, ModelChanged, Notice
from ..protocol.models import ModelInfo, Provider
from ..protocol.ports import MOST_LISTED, Harness, Prompter, SessionInfo
from ..protocol.workbench import CommandInfo, ExportForm, ExtensionRow, FoundServer, ModelChoice, ModelProbe
from ..session import EndReason, Session
from ..settings.layers import Settings
from ..store.ageing import let_old_go
from ..store.export import export
from ..store.journal import MemoryJournal
from ..store.store import Store
from ..turn.recorded import Recordings
from .admission import Admission
from .assembly import assemble
from .model_desk import ModelDesk, is_demo
from .wishes import Ground, Opening, StartSource, Wishes, started

_ASKED = "Nothing is lost until you leave. Before a tool runs that cannot be stored you are asked."
_REFUSED = "No tool runs that cannot be stored; with --no-session-persistence nothing needs to be."
_BREATH = 0.004
"""Seconds of reading in one go."""


@dataclass(slots=True)
class _Open:
    session: Session
    brought: Extensions | None = None


@dataclass(slots=True)
class LocalWorkbench:
    """The house on this machine; implements workbench.Workbench. Make it with `open_workbench`, end it with `close`.

    `copies` are sessions copied to be opened now.
    """

    places: Places
    environment: Mapping[str, str]
    wishes: Wishes
    prompter: Prompter
    store: Store
    desk: ModelDesk
    copies: set[str] = field(default_factory=set[str])
    _open: dict[str, _Open] = field(default_factory=dict[str, _Open])
    _demo_root: Path | None = None
    _admission: Admission = field(init=False)
    _warming: "asyncio.Task[None] | None" = None
    _recordings: Recordings = field(init=False)
    _closing: "list[asyncio.Task[None]]" = field(default_factory=list["asyncio.Task[None]"])
    _brought: Extensions | None = None
    _is_clean: bool = False

    def __post_init__(self) -> None:
        self._recordings = Recordings(self.store)
        self._admission = Admission(self.places, self.environment, self.prompter, self.notices)

    @property
    def notices(self) -> list[Notice]:
        """What the next session that opens has to tell."""
        return self.desk.notices

    # --- sessions -------------------------------------------------------------------------------------------

    async def open(self, session_id: str = "", wishes: Wishes | None = None) -> Harness:
        """A new session (`wishes` in place of ours), or a stored one: to look at where it cannot be gone on with.

        Without a screen the last is refused. Raises StoreError, StartError, ConfigError.
        """
        if session_id in self._open:
            return self._open[session_id].session
        wishes = wishes or self.wishes
        if not session_id:
            return await self._assemble(self._new_journal(wishes), wishes, source="startup")
        if wishes.interactive and (recorded := self._recordings.find(session_id)) is not None:
            return recorded
        journal = self.store.open_session(session_id)
        # Only a copy that nobody has opened yet begins as one; later it is resumed like any session.
        source: StartSource = "fork" if session_id in self.copies else "resume"
        self.copies.discard(session_id)
        return await self._assemble(journal, self._where_it_was(session_id), source=source)

    async def begin(self, session_id: str) -> Harness:
        """A new session under this id. Raises StoreError when there is one already, StartError, ConfigError."""
        return await self.open("", replace(self.wishes, session_id=session_id))

    async def release(self, session_id: str) -> bool:
        """Close a session that nobody needs just now; false when it is not stored, so that closing would lose it."""
        opened = self._open.get(session_id)
        if opened is None or not self.wishes.persist:
            return False
        del self._open[session_id]
        await opened.session.close("other")
        return True

    async def fork(self, session_id: str, turn: int) -> Harness:
        """A new session that shares the story up to the end of that turn (0: all of it)."""
        journal = self.store.fork(session_id, turn or None)
        return await self._assemble(journal, self.wishes, source="fork")

    async def clear(self, session_id: str) -> Harness:
        """A new session after one that the person leaves; see workbench.Clears."""
        left = self._open.get(session_id)
        if left is not None:
            await left.session.leave("clear")
        return await self._assemble(self._new_journal(self.wishes), self.wishes, source="clear")

    def _where_it_was(self, session_id: str) -> Wishes:
        """Our wishes, in the folder where the session worked, as far as that is still there."""
        cwd = Path(self.store.info(session_id).cwd)
        return replace(self.wishes, root=cwd) if cwd.is_absolute() and cwd.is_dir() else self.wishes

    def _new_journal(self, wishes: Wishes) -> Journal:
        info = SessionInfo(
            id=wishes.session_id or str(uuid.uuid4()),
            title=wishes.name,
            cwd=str(wishes.root),
            headless=not wishes.interactive,
        )
        return self.store.create(info, headless=not wishes.interactive) if wishes.persist else MemoryJournal(info)

    async def _assemble(self, journal: Journal, wishes: Wishes, *, source: StartSource) -> Harness:
        if is_demo(self.choice):
            wishes = self._demo_wishes(wishes)
            text = (
                "The demo: a scripted model, real tools in a scratch folder. This stands in the prompt, Enter sends it:"
            )
            self.notices.append(Notice(text=text, hint=FIRST_PROMPT, code="demo"))
        settings = await self._admission.settings(wishes)
        wishes = await self._admission.with_mode(wishes, settings)
        provider, choice = await self.desk.answering(settings, wishes)
        facts = await _told(journal) if source in {"resume", "fork"} else []
        self._clean_up(settings, journal.session_id)
        opening = Opening(journal, started(journal, wishes, choice, source), facts, list(self.notices))
        opening.model_is_open = self.desk.is_open
        self.notices.clear()
        ground = Ground(
            self.places,
            self.environment,
            wishes,
            self.prompter,
            self.store.grant_story,
            partial(self._admission.is_trusted, wishes),
            self.store.redact,
            partial(self._admission.was_refused, wishes),
        )
        session = await assemble(ground, settings, opening, provider, choice)
        self._brought = opening.brought
        self._open[journal.session_id] = _Open(session, opening.brought)
        if wishes.interactive:
            self._warming = asyncio.create_task(self._warm(session, provider, choice.model))
        return session

    def _demo_wishes(self, wishes: Wishes) -> Wishes:
        if self._demo_root is None:
            self._demo_root = make_scratch_project(self.places.cache)
            self._admission.vouched.add(self._demo_root)
        return replace(wishes, root=self._demo_root)

    def _clean_up(self, settings: Settings, opening: str) -> None:
        """Once: sessions that are older than settings want them go."""
        if self.wishes.persist and not self._is_clean:
            self._is_clean = True
            told = let_old_go(self.store, settings, {*self._open, opening})
            self.notices.extend([told] if told is not None else [])

    async def _warm(self, session: Session, provider: Provider, model: str) -> None:
        """Load what the first request needs, and find out how much fits; both off the input path."""
        await provider.warm()
        window = await provider.context_window(model)
        known = (f.context_window for f in session.history() if isinstance(f, ModelChanged) and f.model == model)
        await session.has_started.wait()
        if window and window not in known and session.parts.model == model:
            session.tell_aside(ModelChanged(model=model, provider=provider.name, context_window=window))

    def sessions(self, search: str = "", everywhere: bool = False, limit: int = MOST_LISTED) -> Sequence[SessionInfo]:
        """Stored sessions, newest first."""
        return self.store.sessions(search, None if everywhere else str(self.wishes.root), limit)

    async def find(self, search: str, everywhere: bool, limit: int) -> Sequence[SessionInfo]:
        """See workbench.Searches."""
        return await self.store.find(search, None if everywhere else str(self.wishes.root), limit)

    def facts(self, session_id: str) -> Sequence[Fact]:
        """A session's story, for a preview. Raises StoreError."""
        if session_id in self._open:
            return self._open[session_id].session.history()
        return [fact for _, fact in self.store.read(session_id)]

    def export(self, session_id: str, form: ExportForm) -> bytes:
        """A session as a document, without our own keys. Raises StoreError."""
        opened = self._open.get(session_id)
        info = opened.session.info if opened is not None else self.store.info(session_id)
        return self.store.redact(export(form, info, self.facts(session_id)))

    def rename(self, session_id: str, title: str) -> None:
        """Give a session a title."""
        if session_id in self._open:
            self._open[session_id].session.rename(title)
        else:
            self.store.rename(session_id, title)

    def delete(self, session_id: str) -> None:
        """Delete a session, also an open one; `undelete` takes it back. Raises StoreError."""
        self.store.delete(session_id)
        self._recordings.forget(session_id)
        opened = self._open.pop(session_id, None)
        if opened is not None:
            opened.session.interrupt("session deleted")
            self._closing.append(asyncio.create_task(opened.session.close("other")))

    def undelete(self, session_id: str) -> None:
        """Take a deletion back."""
        self.store.undelete(session_id)

    def commands(self) -> Sequence[CommandInfo]:
        """Slash commands that files define, as the session opened last knows them."""
        return self._brought.catalog.infos() if self._brought is not None else ()

    def look_for_commands(self) -> None:
        """Look at the files that define commands again."""
        if self._brought is not None:
            self._brought.catalog.refresh()

    def extensions(self) -> Sequence[ExtensionRow]:
        """What files and plugins bring, as the session opened last has it."""
        return self._brought.rows() if self._brought is not None else ()

    async def reload_extensions(self) -> Sequence[ExtensionRow]:
        """Find plugins anew, for all open sessions."""
        for opened in self._open.values():
            brought = opened.brought
            if brought is not None:
                wishes = replace(self.wishes, root=brought.scene.root)
                trusted = brought.scene.settings.trusted and self._admission.is_trusted(wishes)
                await asyncio.to_thread(brought.find_again, self._admission.load(wishes, trusted))
                for notice in await brought.take_up():
                    opened.session.tell_aside(notice)
        return self.extensions()

    # --- models ---------------------------------------------------------------------------------------------

    @property
    def choice(self) -> ModelChoice | None:
        """Which model answers in the next session; None when nobody chose yet."""
        return self.desk.choice

    async def prepare(self) -> None:
        """Nothing to wait for."""

    async def find_servers(self) -> tuple[FoundServer, ...]:
        """Model servers that the person named, and those on the usual local ports."""
        return await self.desk.find_servers(self._settings())

    async def models(self) -> tuple[ModelInfo, ...]:
        """What the current provider offers. Raises ProviderError."""
        return await self.desk.models()

    async def probe(self) -> ModelProbe:
        """Try out whether the model in use calls tools. Raises ProviderError."""
        return await self.desk.probe()

    async def choose(self, choice: ModelChoice, api_key: str = "") -> None:
        """Use this model from now on, also in open sessions. Raises ProviderError, StartError, ConfigError."""
        old = await self.desk.choose(choice, api_key, self._settings())
        provider, chosen = self.desk.provider, self.desk.choice
        if provider is None or chosen is None or chosen.kind == "demo":
            return
        window = await provider.context_window(chosen.model)
        for opened in self._open.values():
            opened.session.use_model(provider, chosen.model, window)
        if old is not None:
            await old.close()

    def forget_key(self) -> bool:
        """Forget the key that was typed, here and in open sessions; whether there was one. Raises ConfigError."""
        return self.desk.forget_key()

    def _settings(self) -> Settings:
        return self._admission.load(self.wishes, self._admission.was_admitted(self.wishes.root))

    # --- the end --------------------------------------------------------------------------------------------

    async def close(self, reason: EndReason = "prompt_input_exit") -> None:
        """End every open session, then the model's server and the store."""
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.wait([self._warming])
        for opened in list(self._open.values()):
            await opened.session.close(reason)
        if self._closing:
            await asyncio.wait(self._closing)
        await self.desk.close()
        self.store.close()
        if self._demo_root is not None:
            remove_scratch_project(self._demo_root)


async def _told(journal: Journal) -> list[Fact]:
    """All facts of a journal; keys and frames get their turn while a long one is read."""
    facts: list[Fact] = []
    breath = time.perf_counter()
    for _, fact in journal.read():
        facts.append(fact)
        if time.perf_counter() - breath > _BREATH:
            await asyncio.sleep(0)
            breath = time.perf_counter()
    return facts


def open_workbench(
    places: Places,
    environment: Mapping[str, str],
    wishes: Wishes,
    prompter: Prompter,
    choice: ModelChoice | None,
) -> LocalWorkbench:
    """The house over these places. Quick: nothing is started and no server is asked. Raises StartError."""
    if not wishes.root.is_dir():
        raise StartError(f"{wishes.root} is not a folder.", hint="Choose one with --project-dir.")
    store = Store.open(places)
    desk = ModelDesk(places, environment, store.take_notices(), store.protect)
    desk.recall(choice)
    if store.problem and wishes.persist:
        hint = _ASKED if wishes.interactive else _REFUSED
        desk.notices.append(Notice(level="error", text=f"Sessions cannot be stored: {store.problem}", hint=hint))
    return LocalWorkbench(places, environment, wishes, prompter, store, desk)
