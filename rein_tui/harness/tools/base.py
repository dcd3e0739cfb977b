"""What every tool shares: an input type, a short description, strict parsing, and one line that stands for a call.

A tool subclasses `BaseTool[SomeStruct]` and writes `run`. A tool whose schema is only known at run time (MCP)
subclasses `SchemaTool`.
"""

import json
import os
import re
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar, cast

import msgspec

from ..protocol.base import JsonObject
from ..protocol.displays import Display
from ..protocol.messages import ToolSpec
from ..protocol.tools import InvalidInput, ToolContext, ToolResult, Workspace
from .schema import explain, input_schema


class ToolInput(msgspec.Struct, frozen=True, kw_only=True):
    """The typed input of one tool: its fields are the fields that models send and hooks match on."""


InputT = TypeVar("InputT", bound=ToolInput)

SUMMARY_LENGTH = 300
"""Characters of a summary: one line that a person reads."""


class BaseTool(Generic[InputT]):
    """A tool over a Struct input. Subclasses set the class attributes and write `run`.

    The description for the model stands in a file beside the module: `todo_write.md` for TodoWrite.
    `path_fields` are the input fields that name files; `hidden_fields` are for hooks only, no model sees them.
    """

    name: ClassVar[str]
    input_type: ClassVar[type[ToolInput]]
    read_only: ClassVar[bool] = False
    path_fields: ClassVar[tuple[str, ...]] = ()
    hidden_fields: ClassVar[tuple[str, ...]] = ()

    @property
    def requires_person(self) -> bool:
        """Whether no rule and no mode may answer for the person."""
        return False

    @property
    def caution(self) -> str:
        """What a person should know of the tool before they allow a call."""
        return ""

    @property
    def spec(self) -> ToolSpec:
        """As the model sees it."""
        return self._spec

    @cached_property
    def _spec(self) -> ToolSpec:
        file = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", self.name).lower() + ".md"
        text = Path(__file__).with_name(file).read_text(encoding="utf-8").strip()
        schema = input_schema(self.input_type)
        for field in self.hidden_fields:
            del schema["properties"][field]
        return ToolSpec(name=self.name, description=text, input_schema=schema)

    @property
    def asks_itself(self) -> bool:
        """Whether the call is itself a question to the person."""
        return False

    def normalize(self, raw: JsonObject, workspace: Workspace) -> JsonObject:
        """The input as hooks and rules see it: file paths absolute. Never raises."""
        paths = {
            key: absolute(raw[key], workspace) for key in self.path_fields if isinstance(raw.get(key), str) and raw[key]
        }
        return raw | paths

    def parse(self, raw: JsonObject) -> InputT:
        """The typed input; fields that nobody knows and nulls count as not given. Raises InvalidInput."""
        _refuse_half_characters(self.name, raw)
        given = {key: value for key, value in raw.items() if value is not None}
        try:
            value: Any = msgspec.convert(given, self.input_type)
        except msgspec.ValidationError as error:
            raise InvalidInput(explain(self.name, str(error), given, self.spec.input_schema)) from None
        self.check(value)
        return value

    def check(self, value: InputT) -> None:
        """What the types cannot say. Raises InvalidInput."""

    def is_read_only(self, value: InputT) -> bool:
        """Whether this call changes nothing."""
        return self.read_only

    def summarize(self, value: InputT) -> str:
        """The one line that stands for the call."""
        first = next(iter(msgspec.to_builtins(value).values()), "")
        return one_line(f"{self.name} {first}")

    async def preview(self, value: InputT, context: ToolContext) -> Display | None:
        """What would happen, without doing it."""
        return None

    async def run(self, value: InputT, context: ToolContext) -> ToolResult:
        """Do it."""
        raise NotImplementedError


class SchemaTool:
    """A tool whose JSON schema is only known at run time. Subclasses write `run`.

    Only required fields are checked here: the server on the other side checks the rest and says what it wants.
    `can_wait`: it may be held back from requests when there are too many (see `deferral`).
    """

    def __init__(self, spec: ToolSpec, *, read_only: bool = False, can_wait: bool = False) -> None:
        self._spec = spec
        self._read_only = read_only
        self.can_wait = can_wait

    @property
    def name(self) -> str:
        """The name that models, rules and hooks use."""
        return self._spec.name

    @property
    def spec(self) -> ToolSpec:
        """As the model sees it."""
        return self._spec

    @property
    def requires_person(self) -> bool:
        """Whether no rule and no mode may answer for the person."""
        return False

    @property
    def caution(self) -> str:
        """What a person should know of the tool before they allow a call."""
        return ""

    @property
    def asks_itself(self) -> bool:
        """Whether the call is itself a question to the person."""
        return False

    def normalize(self, raw: JsonObject, workspace: Workspace) -> JsonObject:
        """The input as hooks and rules see it: unchanged."""
        return raw

    def parse(self, raw: JsonObject) -> JsonObject:
        """The input, with all required fields. Raises InvalidInput."""
        _refuse_half_characters(self.name, raw)
        schema = self._spec.input_schema
        required = cast("list[str]", schema.get("required") or [])
        for field in required:
            if field not in raw:
                fields = ", ".join(map(str, schema.get("properties") or ()))
                raise InvalidInput(f'{self.name}: missing required field "{field}" (fields: {fields})')
        return raw

    def is_read_only(self, value: JsonObject) -> bool:
        """Whether this call changes nothing, as the server says."""
        return self._read_only

    def summarize(self, value: JsonObject) -> str:
        """Name and input, shortened to one line."""
        shown = msgspec.json.encode(value).decode(errors="replace") if value else ""
        return one_line(f"{self.name} {shown}")

    async def preview(self, value: JsonObject, context: ToolContext) -> Display | None:
        """Nothing: only the server knows."""
        return None

    async def run(self, value: JsonObject, context: ToolContext) -> ToolResult:
        """Do it."""
        raise NotImplementedError


def _refuse_half_characters(tool: str, raw: JsonObject) -> None:
    """No file, process or journal can take a lone surrogate, though JSON can spell one. Raises InvalidInput."""
    try:
        json.dumps(raw, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise InvalidInput(f"{tool}: the input holds {error.object[error.start]!r}, half of a character") from None


def one_line(text: str, limit: int = SUMMARY_LENGTH) -> str:
    """`text` as one line: white space joined, control characters replaced, shortened to `limit`."""
    # Twice the limit is enough to shorten from: inputs may be megabytes.
    joined = " ".join(
        "".join(c if c.isprintable() or c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text[: 2 * limit]).split()
    )
    return joined if len(joined) <= limit and len(text) <= 2 * limit else joined[: limit - 1] + "…"


def absolute(path: str, workspace: Workspace) -> str:
    """`path` from the working directory, `~` expanded at its start, `.` and `..` resolved by name."""
    if path == "~" or path.startswith(("~/", "~" + os.sep)):
        path = str(workspace.home) + path[1:]
    return os.path.normpath(os.path.join(workspace.cwd, path))  # noqa: PTH118 - pathlib would keep ".."


def failed(text: str, display: Display | None = None, response: JsonObject | None = None) -> ToolResult:
    """An error that the model can act on."""
    return ToolResult(content=text, is_error=True, display=display, response=response)
