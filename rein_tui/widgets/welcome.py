"""The first start: whatever this machine offers to talk to, and never a dead end.

It probes through the callable that it is given, draws what answered, and posts the choice.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Center, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from rein_tui.harness.protocol.workbench import FoundServer, ModelChoice

from .figures import short_bytes
from .hints import KeyLine, hint_line
from .safe import safe_content, safe_text

_MODELS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class _Offer:
    """One row. `asks` says what has to be typed first: a key, a path, or nothing."""

    name: str
    words: str
    choice: ModelChoice
    asks: str = ""


_DEMO = _Offer("Demo", "no key: two minutes with real tools", ModelChoice(kind="demo"))
_CLAUDE = _Offer("Claude", "with an Anthropic API key", ModelChoice(kind="anthropic"), "key")
_FILE = _Offer("Model file", "a .gguf on this disk, run here", ModelChoice(kind="gguf"), "path")
_SERVER = _Offer("Server", "any OpenAI-compatible address", ModelChoice(kind="local"), "url")

_NO_SERVER = "no local model server answers (ollama serve starts one)"
_FIELDS = {
    "key": "paste the key: sk-ant-…",
    "path": "path of the model file",
    "url": "http://localhost:1234/v1",
}
_NEXT = {
    "key": "enter goes on; with nothing typed, with the key that is set · esc back",
    "path": "enter goes on · esc back",
    "url": "enter goes on · esc back",
}


class Welcome(Vertical):
    """Offers local servers with their models, Claude, a model file, any server, the demo."""

    DEFAULT_CSS = """
    Welcome {
        align: center middle; background: $background;
        & > Center { height: auto; }
        & #card { width: 80; max-width: 96%; height: auto; padding: 0 2; }
        & #head { margin-bottom: 1; }
        & OptionList {
            height: auto; max-height: 14; border: none; padding: 0; background: $background;
            text-wrap: nowrap; text-overflow: ellipsis;
        }
        & OptionList:focus { border: none; background-tint: $background 0%; }
        & Input, & Input:focus { border: none; height: 1; padding: 0 1; margin-top: 1; background: $panel; }
        & Input { display: none; }
        & Input.-open { display: block; }
        & #news { margin-top: 1; color: $text-muted; height: auto; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "probe", "Look for servers again", id="welcome.probe"),
        Binding("escape", "back", "Back", show=False),
    ]

    class Chosen(Message):
        """The person chose; `api_key` is only set for Claude."""

        def __init__(self, choice: ModelChoice, api_key: str) -> None:
            super().__init__()
            self.choice, self.api_key = choice, api_key

    class Left(Message):
        """Nothing was chosen: back to the conversation that there is."""

    def __init__(
        self, find_servers: Callable[[], Awaitable[Sequence[FoundServer]]], *, may_leave: bool = False
    ) -> None:
        super().__init__()
        self._find_servers = find_servers
        self._may_leave = may_leave
        self._offers: list[_Offer] = []
        self._asking: _Offer | None = None
        self._news = ""

    def compose(self) -> ComposeResult:
        with Center(), Vertical(id="card"):
            yield Static(
                Content.assemble(
                    ("rein", "bold $primary"),
                    ("-tui", "bold $text"),
                    ("\nThe coding assistant that you can see through.\n\n", "$text-muted"),
                    ("Who should answer?", "$text"),
                ),
                id="head",
            )
            yield OptionList(compact=True)
            yield Input(compact=False)
            yield KeyLine(id="news")

    def on_mount(self) -> None:
        """Show what is certain at once, then look for servers."""
        self._show(())
        self.query_one(OptionList).focus()
        self.action_probe()

    def action_probe(self) -> None:
        """Look for local servers."""
        self.tell("looking for local model servers …")
        self.run_worker(self._probe(), group="probe", exclusive=True)

    async def _probe(self) -> None:
        servers = await self._find_servers()
        if not self.query(OptionList):  # the person chose, or left, meanwhile
            return
        self._show(servers)
        self._news = "↑ ↓ and enter, or the mouse" if servers else _NO_SERVER
        if self._asking is None:
            self._tell_keys()

    def _tell_keys(self) -> None:
        keys = hint_line(("r", "look again"), ("esc", "back") if self._may_leave else ("F1", "keys"))
        news = safe_content(self._news, "prompt", "$text-muted")
        self.query_one("#news", KeyLine).update(Content.assemble(news, "\n", keys))

    def tell(self, text: str, *, is_error: bool = False) -> None:
        """A line below the offers."""
        style = "$text-error" if is_error else "$text-muted"
        self.query_one("#news", KeyLine).update(safe_content(text, "prompt", style))

    def _show(self, servers: Sequence[FoundServer]) -> None:
        self._offers = [*(offer for server in servers for offer in _of_server(server))]
        self._offers += [_CLAUDE, _FILE, _SERVER, _DEMO]
        rows = self.query_one(OptionList)
        kept = rows.highlighted
        column = min(26, max(len(offer.name) for offer in self._offers))
        rows.set_options(Option(_row(offer, column)) for offer in self._offers)
        rows.highlighted = 0 if servers or kept is None else kept

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        offer = self._offers[event.option_index]
        if not offer.asks:
            self._choose(offer.choice)
            return
        self._asking = offer
        field = self.query_one(Input)
        field.value = ""
        field.password = offer.asks == "key"
        field.placeholder = _FIELDS[offer.asks]
        self.tell(_NEXT[offer.asks])
        field.add_class("-open")
        field.focus()

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        value, offer = event.value.strip(), self._asking
        if offer is None or (not value and offer.asks != "key"):
            return
        if offer.asks == "key":  # nothing typed: the key that is there already, or a word that there is none
            self._choose(offer.choice, value)
        elif offer.asks == "url":
            self._choose(ModelChoice(kind="local", url=value))
        elif not Path(value).expanduser().is_file():
            self.tell(f"no file at {value}", is_error=True)
        else:
            self._choose(ModelChoice(kind="gguf", path=str(Path(value).expanduser())))

    def _choose(self, choice: ModelChoice, api_key: str = "") -> None:
        self.tell("one moment …")
        self.post_message(self.Chosen(choice, api_key))

    def action_back(self) -> None:
        """Back to the offers, and from them to the conversation, if there is one."""
        field = self.query_one(Input)
        if not field.has_class("-open"):
            if self._may_leave:
                self.post_message(self.Left())
            return
        self._tell_keys()
        field.value = ""
        field.remove_class("-open")
        self._asking = None
        self.query_one(OptionList).focus()


def _of_server(server: FoundServer) -> list[_Offer]:
    where = f"{server.flavour} at {server.url.removeprefix('http://').removesuffix('/v1')}"
    if not server.models:
        return [_Offer(server.flavour, f"{server.url} · no model yet", ModelChoice(kind="local", url=server.url))]
    return [
        _Offer(
            model.id,
            f"{where} · {short_bytes(model.size_bytes)}" if model.size_bytes else where,
            ModelChoice(kind="local", url=server.url, model=model.id),
        )
        for model in server.models[:_MODELS_SHOWN]
    ]


def _row(offer: _Offer, column: int) -> Content:
    name = Content.styled(safe_text(offer.name, "label"), "bold $text").truncate(column, ellipsis=True, pad=True)
    return Content.assemble(name, "  ", (safe_text(offer.words, "label"), "$text-muted"))
