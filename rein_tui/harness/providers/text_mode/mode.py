"""The seam of the providers for tools: for each model, whether its calls are native or text, and how they are read.

In native mode nothing is rewritten, but the answer is still read: a server that leaves a call in the text does not
lose it.
"""

from collections.abc import Iterable
from typing import Literal

from msgspec import structs

from ...protocol.base import Word
from ...protocol.messages import TextBlock, ToolSpec, ToolUseBlock
from ...protocol.models import ModelRequest, ProviderEvent, TextChunk
from ..base import NewId, TextEnd, TextReader, new_call_id
from .dialects import Openers
from .fitting import Tools
from .forms import form_named
from .holdback import HoldBack
from .prompt import as_text, slim


class Way(Word, frozen=True, kw_only=True):
    """How a model's calls travel. `form` is what it is prompted in; `small` models get few tools and flat schemas."""

    kind: Literal["native", "text"] = "native"
    form: str = "hermes"
    small: bool = False

    @property
    def title(self) -> str:
        """`native`, or `text:` and the first word of the form's name."""
        return "native" if self.kind == "native" else f"text:{self.form.split()[0]}"


class ToolText:
    """`base.TextMode` for every model of one server; `settle` says how a model's calls travel."""

    def __init__(self, default: Way | None = None) -> None:
        self._default = default or Way()
        self._ways: dict[str, Way] = {}
        self._openers: dict[tuple[str, ...], Openers] = {}

    def way(self, model: str) -> Way:
        """How this model's calls travel."""
        return self._ways.get(model, self._default)

    def is_settled(self, model: str) -> bool:
        """Whether `settle` was told of this model."""
        return model in self._ways

    def settle(self, model: str, way: Way) -> None:
        """From now on this model's calls travel so."""
        self._ways[model] = way

    def rewrite(self, request: ModelRequest) -> ModelRequest:
        """The request as the model should see it."""
        if not request.tools:
            return request
        way = self.way(request.model)
        if way.kind == "text" or request.forced_schema is not None:
            return as_text(request, form_named(way.form), small=way.small)
        return structs.replace(request, tools=slim(request.tools)) if way.small else request

    def reader(self, request: ModelRequest) -> TextReader:
        """A reader for the answer to the (unrewritten) request."""
        if not request.tools:
            return PassThrough()
        names = tuple(tool.name for tool in request.tools)
        if names not in self._openers:
            self._openers = {names: Openers(names)}
        return HoldBack(Tools(request.tools), self._openers[names], read=request.messages)


class PassThrough:
    """Reads an answer to a request without tools: all of it is prose."""

    def __init__(self) -> None:
        self._text: list[str] = []

    def feed(self, text: str) -> Iterable[ProviderEvent]:
        """Prose."""
        self._text.append(text)
        return (TextChunk(text=text),)

    def finish(self, native: tuple[ToolUseBlock, ...]) -> TextEnd:
        """Prose, and whatever calls the server made of it."""
        prose = "".join(self._text)
        return TextEnd(blocks=(TextBlock(text=prose), *native) if prose.strip() else native)


def read_text(text: str, tools: Iterable[ToolSpec], new_id: NewId = new_call_id) -> TextEnd:
    """What a finished text holds: prose, thinking and calls."""
    specs = tuple(tools)
    reader = HoldBack(Tools(specs), Openers(spec.name for spec in specs), new_id)
    shown = tuple(reader.feed(text))
    end = reader.finish(())
    return TextEnd(events=(*shown, *end.events), blocks=end.blocks, parse=end.parse)
