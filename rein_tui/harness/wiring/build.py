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
from ..demo.script import FIRST_PROMPT, demo_script
from ..places import Places
from ..plugins.extensions import Extensions
from ..protocol.engines import Journal
from ..protocol.errors import ProviderError, ProviderErrorKind, StartError
from ..protocol.events import Fact, ModelChanged, Notice
from ..protocol.models import ModelInfo, Provider
from ..protocol.ports import Harness, Prompter, SessionInfo
from ..protocol.workbench import CommandInfo, ExportForm, ExtensionRow, FoundServer, ModelChoice, ModelProbe
from ..providers.base import NO_SECRET, Secret
from ..providers.choose import (
    Surroundings,
    default_of,
    local_keys,
    make_provider,
    offered,
    permitted,
    settled,
    with_settings,
)
from ..providers.keys import KeyHelper, shell_helper
from ..providers.probe import find_servers
from ..providers.scripted import ScriptedProvider
from ..providers.text_mode.calling import CallingProvider
from ..session import EndReason, Session
from ..settings.layers import Settings
from ..settings.models import ModelRules, model_rules, own_environment
from ..store.ageing import let_old_go
from ..store.export import export
from ..store.journal import MemoryJournal
from ..store.store import Store
from ..turn.recorded import Recordings
from .admission import Admission
from .assembly import assemble
from .choices import forget_key, remember, remembered
from .wishes import Ground, Opening, StartSource, Wishes, started

_KEYS = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "LOCAL_LLM_API_KEY")
_ASKED = "Nothing is lost until you leave. Before a tool runs that cannot be stored you are asked."
_REFUSED = "No tool runs that cannot be stored; with --no-session-persistence nothing needs to be."
_BREATH = 0.004
"""Seconds of reading in one go."""


@dataclass(slots=True)
class _Open:
    session: Session
    choice: ModelChoice
    brought: Extensions | None = None


@dataclass(slots=True)
class LocalWorkbench:
    """The house on this machine; implements workbench.Workbench. Make it with `open_workbench`, end it with `close`.

    `is_guess` says that nobody named the model of a local server: what the server has goes before our guess.
    `model_is_open`: nobody named the model, so that settings may. `copies` are sessions copied to be opened now.
    """

    places: Places
    environment: Mapping[str, str]
    wishes: Wishes
    prompter: Prompter
    store: Store
    choice: ModelChoice | None = None
    key: Secret = NO_SECRET
    notices: list[Notice] = field(default_factory=list[Notice])
    is_guess: bool = False
    model_is_open: bool = False
    copies: set[str] = field(default_factory=set[str])
    _provider: Provider | None = None
    _open: dict[str, _Open] = field(default_factory=dict[str, _Open])
    _demo_root: Path | None = None
    _admission: Admission = field(init=False)
    _warming: "asyncio.Task[None] | None" = None
    _recordings: Recordings = field(init=False)
    _closing: "list[asyncio.Task[None]]" = field(default_factory=list["asyncio.Task[None]"])
    _brought: Extensions | None = None
    _rules: ModelRules = field(default_factory=ModelRules)
    _local_default: str = ""
    _addresses: dict[str, None] = field(default_factory=dict[str, None])
    _is_clean: bool = False

    def __post_init__(self) -> None:
        self._recordings = Recordings(self.store)
        self._admission = Admission(self.places, self.environment, self.prompter, self.notices)

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
        choice = self.choice or ModelChoice(kind="local")
        if choice.kind == "demo" and not choice.path:
            wishes = self._demo_wishes(wishes)
            text = (
                "The demo: a scripted model, real tools in a scratch folder. This stands in the prompt, Enter sends it:"
            )
            self.notices.append(Notice(text=text, hint=FIRST_PROMPT, code="demo"))
        settings = await self._admission.settings(wishes)
        wishes = await self._admission.with_mode(wishes, settings)
        if self.model_is_open and self.choice is not None:
            self.choice = choice = with_settings(choice, settings.data, self.environment)
        provider = self._provider_for(choice, settings, wishes)
        if self.is_guess:
            self.is_guess, guess = False, choice.model
            choice = self.choice = await offered(choice, provider)
            self._local_default = choice.model
            if choice.model != guess:
                text = f"The server has no {guess}: {choice.model} answers."
                self.notices.append(Notice(text=text, code="model_offered"))
        choice = await self._permitted(choice, provider, settings)
        facts = await _told(journal) if source in {"resume", "fork"} else []
        self._clean_up(settings, journal.session_id)
        opening = Opening(journal, started(journal, wishes, choice, source), facts, list(self.notices))
        opening.model_is_open = self.model_is_open
        self.notices.clear()
        ground = Ground(
            self.places,
            self.environment,
            wishes,
            self.prompter,
            self.store.grant_story,
            partial(self._admission.is_trusted, wishes),
            self.store.redact,
        )
        session = await assemble(ground, settings, opening, provider, choice)
        self._brought = opening.brought
        self._open[journal.session_id] = _Open(session, choice, opening.brought)
        if wishes.interactive:
            self._warming = asyncio.create_task(self._warm(session, provider, choice.model))
        return session

    def _clean_up(self, settings: Settings, opening: str) -> None:
        """Once: sessions that are older than settings want them go."""
        if self.wishes.persist and not self._is_clean:
            self._is_clean = True
            told = let_old_go(self.store, settings, {*self._open, opening})
            self.notices += [told] if told is not None else []

    async def _warm(self, session: Session, provider: Provider, model: str) -> None:
        """Load what the first request needs, and find out how much fits; both off the input path."""
        await provider.warm()
        window = await provider.context_window(model)
        known = (f.context_window for f in session.history() if isinstance(f, ModelChanged) and f.model == model)
        await session.has_started.wait()
        if window and window not in known and session.parts.model == model:
            session.tell_aside(ModelChanged(model=model, provider=provider.name, context_window=window))

    def sessions(self, search: str = "", everywhere: bool = False) -> Sequence[SessionInfo]:
        """Stored sessions, newest first."""
        return self.store.sessions(search, None if everywhere else str(self.wishes.root))

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
                brought.take_up()
        return self.extensions()

    # --- models ---------------------------------------------------------------------------------------------

    def _provider_for(self, choice: ModelChoice, settings: Settings, wishes: Wishes) -> Provider:
        if choice.kind == "demo" and not choice.path:
            return ScriptedProvider(demo_script(wishes.root), model="demo", pace=0.03)
        if self._provider is None:
            self._provider = make_provider(choice, self._around(settings), api_key=self.key)
        return self._provider

    def _default(self, choice: ModelChoice | None) -> str:
        """The model that answers where nobody names one."""
        return default_of(choice) or self._local_default

    async def _permitted(self, choice: ModelChoice, provider: Provider, settings: Settings) -> ModelChoice:
        """The choice, or what settings allow in its place, which is told. Raises StartError."""
        self._rules = model_rules(settings)
        found = await permitted(choice, provider, self._rules, self._default(choice))
        if found is None:
            refusal = self._rules.refusal(choice.model)
            raise StartError(refusal.message, where=refusal.where, hint=refusal.hint)
        if found.model != choice.model:
            self.choice = found
            text = f"availableModels does not allow {choice.model}: {found.model} answers."
            notice = Notice(level="warning", text=text, where=self._rules.where, code="model_not_allowed")
            self.notices.append(notice)
        return found

    def _around(self, settings: Settings) -> Surroundings:
        """Keys and addresses come from the person and the administrator, never from a project's files."""
        own = settings.layers_of("managed", "command_line", "user")
        environment = own_environment(settings, self.environment)
        self.store.protect(*(environment[name] for name in _KEYS if environment.get(name)))
        helper = next((layer for layer in own if layer.data.get("apiKeyHelper")), None)
        return Surroundings(
            environment=environment,
            settings=settings.data,
            probes=self.places.cache / "tool-probes.json",
            key_helper=None
            if helper is None
            else self._protected(
                shell_helper(helper.data["apiKeyHelper"], self.places.home, str(helper.source("apiKeyHelper")))
            ),
        )

    def _protected(self, helper: KeyHelper) -> KeyHelper:
        """The helper, its keys kept from the disk."""

        async def fetch() -> str:
            key = await helper()
            self.store.protect(key)
            return key

        return fetch

    def _demo_wishes(self, wishes: Wishes) -> Wishes:
        if self._demo_root is None:
            self._demo_root = make_scratch_project(self.places.cache)
            self._admission.vouched.add(self._demo_root)
        return replace(wishes, root=self._demo_root, persist=wishes.persist)

    async def prepare(self) -> None:
        """Nothing to wait for."""

    async def find_servers(self) -> tuple[FoundServer, ...]:
        """Model servers that the person named, and those on the usual local ports."""
        self._note_address(self.choice)
        settings = self._admission.load(self.wishes, self._admission.was_admitted(self.wishes.root))
        environment = own_environment(settings, self.environment)
        named = (*self._addresses, environment.get("LOCAL_LLM_URL", ""))
        return await find_servers([url for url in named if url], local_keys(environment))

    def _note_address(self, choice: ModelChoice | None) -> None:
        """Who goes over to another server may want to come back."""
        if choice is not None and choice.kind == "local" and choice.url:
            self._addresses[choice.url] = None

    async def models(self) -> tuple[ModelInfo, ...]:
        """What the current provider offers. Raises ProviderError."""
        if self._provider is None:
            raise ProviderError("No model server is chosen yet.", kind="unavailable", hint="Choose one with /model.")
        models = await self._provider.models()
        default = self._default(self.choice)
        return tuple(info for info in models if self._rules.allows(info.id, default))

    async def probe(self) -> ModelProbe:
        """Try out whether the model in use calls tools. Raises ProviderError."""
        provider, choice = self._provider, self.choice
        if choice is None or not isinstance(provider, CallingProvider):
            raise ProviderError("Only local models are tried out.", kind="unavailable", hint="Choose one with /model.")
        return await provider.tried(choice.model)

    async def choose(self, choice: ModelChoice, api_key: str = "") -> None:
        """Use this model from now on, also in open sessions. Raises ProviderError, StartError, ConfigError."""
        is_guess = choice.kind == "local" and not choice.model and not self.environment.get("LOCAL_LLM_MODEL")
        choice = settled(choice, self.environment)
        key = Secret(api_key, source="typed") if api_key else self.key
        self.store.protect(api_key)
        if choice.kind == "demo":
            self.choice = settled(choice, self.environment)
            return
        self.is_guess = False
        settings = self._admission.load(self.wishes, self._admission.was_admitted(self.wishes.root))
        self._rules = model_rules(settings)
        provider = make_provider(choice, self._around(settings), api_key=key)
        if is_guess:
            choice = await offered(choice, provider)
            self._local_default = choice.model
        if not self._rules.allows(choice.model, self._default(choice)):
            await provider.close()
            raise self._rules.refusal(choice.model)
        await _check(provider, choice)
        remember(self.places, choice, api_key)
        self.model_is_open = False
        self._note_address(self.choice)
        old, self._provider, self.choice, self.key = self._provider, provider, choice, key
        window = await provider.context_window(choice.model)
        for opened in self._open.values():
            opened.session.use_model(provider, choice.model, window)
            opened.choice = choice
        if old is not None:
            await old.close()

    def forget_key(self) -> bool:
        """Forget the key that was typed, here and in open sessions; whether there was one. Raises ConfigError."""
        was_kept, was_used = forget_key(self.places), bool(self.key)
        if was_used:
            self.key.forget()
            self.key = NO_SECRET
        return was_kept or was_used

    async def close(self, reason: EndReason = "prompt_input_exit") -> None:
        """End every open session, then the model's server and the store."""
        if self._warming is not None:
            self._warming.cancel()
            await asyncio.wait([self._warming])
        for opened in list(self._open.values()):
            await opened.session.close(reason)
        if self._closing:
            await asyncio.wait(self._closing)
        if self._provider is not None:
            await self._provider.close()
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


_NO_LIST = frozenset[ProviderErrorKind]({"not_found", "invalid_request", "malformed", "server"})
"""Failures of a gateway that answers and has no list of models."""


async def _check(provider: Provider, choice: ModelChoice) -> None:
    """Find out now, not at the first prompt, whether the server answers and knows the model, where it has a list."""
    try:
        models = await provider.models()
    except ProviderError as error:
        if error.kind in _NO_LIST:
            return
        await provider.close()
        raise
    known = {m.id for m in models}
    if choice.model and known and choice.model not in known and choice.kind == "local":
        await provider.close()
        raise ProviderError(
            f"The server has no model {choice.model!r}.",
            kind="not_found",
            hint="It has: " + ", ".join(sorted(known)[:8]),
        )


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
    secrets = [environment[name] for name in _KEYS if environment.get(name)]
    kept, key = remembered(places)
    choice = choice or kept
    is_named = choice is None or choice.kind != "local" or choice.model or environment.get("LOCAL_LLM_MODEL")
    if key:
        secrets.append(key.reveal())
    store = Store.open(places, secrets=secrets)
    named = {"CLAUDE_MODEL", "ANTHROPIC_MODEL"} & environment.keys()
    is_open = choice is not None and not choice.model and not named
    if choice is not None:
        choice = settled(choice, environment)
    has_own_key = bool(environment.get("ANTHROPIC_API_KEY") or environment.get("ANTHROPIC_AUTH_TOKEN"))
    bench = LocalWorkbench(places, environment, wishes, prompter, store, choice, NO_SECRET if has_own_key else key)
    bench.is_guess = not is_named
    bench.model_is_open = is_open
    bench.notices += store.take_notices()
    if store.problem and wishes.persist:
        hint = _ASKED if wishes.interactive else _REFUSED
        bench.notices.append(Notice(level="error", text=f"Sessions cannot be stored: {store.problem}", hint=hint))
    return bench
