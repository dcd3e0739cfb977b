"""The workbench: what a screen or a server opens sessions with, and what it can tell about models and extensions."""

from collections.abc import Sequence
from typing import Literal, Protocol, TypeAlias, runtime_checkable

from .base import Word
from .decisions import Source
from .events import Fact
from .models import ModelInfo
from .ports import MOST_LISTED, Harness, SessionInfo


class ModelChoice(Word, frozen=True, kw_only=True):
    """Which model to talk to. `kind` names the provider; `url` its server; `api_key` travels in a `Secret`.

    `tools` says how the calls of a local model travel; auto finds out by trying.
    """

    kind: Literal["anthropic", "local", "gguf", "demo"]
    model: str = ""
    url: str = ""
    path: str = ""
    tools: Literal["auto", "native", "text"] = "auto"


class FoundServer(Word, frozen=True, kw_only=True):
    """A model server that answered a probe. `flavour`: ollama, lmstudio, llamacpp, vllm, localai, openai; loading."""

    url: str
    flavour: str
    version: str = ""
    models: tuple["ModelInfo", ...] = ()


class CommandInfo(Word, frozen=True, kw_only=True):
    """A slash command that a file defines (command, skill, MCP prompt): submitted as a prompt, expanded by the session.

    `name` has no slash; `source` is the layer, plugin or server that it comes from; `aliases` mean it as well.
    """

    name: str
    summary: str = ""
    argument: str = ""
    source: str = ""
    aliases: tuple[str, ...] = ()


class ExtensionRow(Word, frozen=True, kw_only=True):
    """One thing that files brought: a plugin, an agent, a command or a skill; `where` it is written.

    `details` are lines for a person: what it may call, what it runs, what is wrong with it. A plugin that is `offered`
    is not installed: a known marketplace has it.
    """

    kind: Literal["plugin", "agent", "command", "skill", "style"]
    name: str
    summary: str = ""
    source: str = ""
    state: Literal["on", "off", "broken", "offered"] = "on"
    where: str = ""
    details: tuple[str, ...] = ()


@runtime_checkable
class Clears(Protocol):
    """A workbench that can put a new session in the place of another."""

    async def clear(self, session_id: str) -> Harness:
        """A new session; for hooks the other one ends, though it can be gone on with. Raises StoreError, StartError."""
        ...


@runtime_checkable
class Searches(Protocol):
    """A workbench that searches all texts without holding up who asks."""

    async def find(self, search: str, everywhere: bool, limit: int) -> Sequence[SessionInfo]:
        """Stored sessions in which all these words occur, newest first. Raises StoreError."""
        ...


@runtime_checkable
class Elsewhere(Protocol):
    """A workbench whose sessions need not run on this machine."""

    @property
    def place(self) -> str:
        """Where they run, for people; empty for this very program."""
        ...

    async def learn(self) -> None:
        """Ask which commands files define there by now; gives up soon."""
        ...

    async def files(self, hides_ignored: bool) -> Sequence[str]:
        """Relative paths of the files in the folder of the session opened last; its own settings go first."""
        ...


@runtime_checkable
class Extensible(Protocol):
    """A workbench that knows what files and plugins bring, and can look again."""

    def extensions(self) -> Sequence[ExtensionRow]:
        """Everything, as the session opened last has it."""
        ...

    async def reload_extensions(self) -> Sequence[ExtensionRow]:
        """Look at plugins, commands, skills and agents again, for all open sessions; what there is now."""
        ...

    def look_for_commands(self) -> None:
        """Look at the files that define commands again."""
        ...


ExportForm: TypeAlias = Literal["markdown", "html", "jsonl", "transcript"]
"""A session as text, as a page, as facts a line each, or as the ecosystem's transcript."""


class Workbench(Protocol):
    """What a screen may ask of the house besides the session that it drives."""

    @property
    def choice(self) -> ModelChoice | None:
        """The model in use; None while none is chosen (first start without key or server)."""
        ...

    async def prepare(self) -> None:
        """Get ready to open sessions; afterwards `choice` is what will be used. Raises StartError, ConfigError."""
        ...

    async def open(self, session_id: str = "") -> Harness:
        """A new session, or an old one to go on with. Raises StoreError, StartError."""
        ...

    async def fork(self, session_id: str, turn: int) -> Harness:
        """A new session that shares the story up to the end of that turn. Raises StoreError."""
        ...

    def sessions(self, search: str = "", everywhere: bool = False, limit: int = MOST_LISTED) -> Sequence[SessionInfo]:
        """Stored sessions, newest first: of this project, or of all; with `search`, those whose text holds it.

        At most `limit` of them: a list that is as long may go on.
        """
        ...

    def facts(self, session_id: str) -> Sequence[Fact]:
        """The stored facts of a session, without opening it: for previews. Raises StoreError."""
        ...

    def export(self, session_id: str, form: ExportForm) -> bytes:
        """A session as a document for other eyes, without our own keys. Raises StoreError."""
        ...

    def commands(self) -> Sequence[CommandInfo]:
        """Slash commands that files define, for completion and help; the session expands them."""
        ...

    def rename(self, session_id: str, title: str) -> None:
        """Give a session a title."""
        ...

    def delete(self, session_id: str) -> None:
        """Delete a session (kept aside until the program ends, so that it can be undone)."""
        ...

    def undelete(self, session_id: str) -> None:
        """Take a deletion back."""
        ...

    async def find_servers(self) -> tuple[FoundServer, ...]:
        """Model servers on the usual local ports, probed in parallel, each given a second."""
        ...

    async def models(self) -> tuple["ModelInfo", ...]:
        """What the current provider offers. Raises ProviderError."""
        ...

    async def choose(self, choice: ModelChoice, api_key: str = "") -> None:
        """Use this model from now on, also in the open session. Raises ProviderError, StartError."""
        ...


_YES = ("on", "true", "yes", "1")
SWITCH_WORDS: dict[str, bool] = {word: word in _YES for word in (*_YES, "off", "false", "no", "0")}
"""What people write for yes and no."""


class SettingRow(Word, frozen=True, kw_only=True):
    """One setting that a person may change here: `value` is empty without one, `choices` where many are meant."""

    key: str
    summary: str
    value: str = ""
    source: Source | None = None
    choices: tuple[str, ...] = ()


class SettingsDesk(Protocol):
    """The settings files of one session, as a person looks at and changes them."""

    def rows(self) -> Sequence[SettingRow]:
        """What may be changed here, with the value in force and where it is written."""
        ...

    def put(self, key: str, value: str) -> str:
        """Write a value into the person's own settings; what became of it, in words. Raises ConfigError."""
        ...


@runtime_checkable
class HasSettings(Protocol):
    """A session of this machine, whose settings can be changed."""

    settings_desk: SettingsDesk | None


class MemoryOffer(Word, frozen=True, kw_only=True):
    """A file that the model is not told unless the person says so: an import that leads out of the project (`wanted_by`
    names the file that asks for it), or an AGENTS.md where there is no CLAUDE.md.
    """

    kind: Literal["import", "agents"]
    path: str
    wanted_by: str = ""


class MemoryDesk(Protocol):
    """The memory files of one session that wait for a word."""

    def offers(self) -> Sequence[MemoryOffer]:
        """What could be read besides."""
        ...

    def accept(self, offer: MemoryOffer) -> None:
        """Read it from now on in this project, in this session at once. Raises ConfigError."""
        ...


@runtime_checkable
class HasMemory(Protocol):
    """A session of this machine, whose memory files can be chosen."""

    memory_desk: MemoryDesk | None


class ModelProbe(Word, frozen=True, kw_only=True):
    """What trying a model out showed. `sent` is how its calls travel from now on: native, or a text dialect's name.

    `raw` is what it wrote where it made no native call, `dialect` how that was read.
    """

    model: str
    server: str
    verdict: Literal["native", "text", "none"]
    sent: str
    dialect: str = ""
    raw: str = ""


@runtime_checkable
class SizesModels(Protocol):
    """A provider that may know how large a model is."""

    def is_small(self, model: str) -> bool:
        """Whether the model is known to have fewer than about ten billion parameters: it gets short instructions."""
        ...


@runtime_checkable
class Thinks(Protocol):
    """A harness that can say how much its model thinks."""

    @property
    def effort(self) -> str:
        """low, medium, high, xhigh or max; empty leaves it to the model."""
        ...

    @property
    def thinking(self) -> bool:
        """Whether the model may think before it answers."""
        ...

    def set_thinking(self, *, effort: str | None = None, thinking: bool | None = None) -> None:
        """From the next request on; what is None stays."""
        ...


@runtime_checkable
class KeepsKey(Protocol):
    """A workbench that keeps the key that a person typed: that of this machine."""

    def forget_key(self) -> bool:
        """Forget it, on the disk and for the requests to come; whether there was one. Raises ConfigError."""
        ...


@runtime_checkable
class ProbesModels(Protocol):
    """A workbench that can try out whether its model calls tools: those with the model's server at hand."""

    async def probe(self) -> ModelProbe:
        """Try the model in use out, anew. Raises ProviderError."""
        ...
