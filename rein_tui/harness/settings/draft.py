"""A layer of settings while it is being checked: its data, the place of each value, and what was found wrong."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import Layer
from rein_tui.harness.protocol.events import Notice

from .reader import Pointer
from .shapes import is_list, is_object

Level: TypeAlias = Literal["info", "warning", "error"]


def dotted(pointer: Pointer) -> str:
    """A pointer as people write it: permissions.deny[2]."""
    text = ""
    for step in pointer:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def text_list(value: Any) -> list[str]:
    """The strings of a JSON value that should be a list of strings."""
    if isinstance(value, str):
        return [value]
    items = value if is_list(value) else []
    return [item for item in items if isinstance(item, str)]


@dataclass(slots=True)
class Draft:
    """Data of one file, changed in place while it is checked.

    `line_of` gives the line in the file; `moved` says where a rewritten value really stands. `broken` is why
    nothing of this file may approve anything, or empty.
    """

    layer: Layer
    path: str
    data: JsonObject
    line_of: Callable[[Pointer], int]
    moved: dict[Pointer, Pointer] = field(default_factory=dict[Pointer, Pointer])
    notices: list[Notice] = field(default_factory=list[Notice])
    broken: str = ""

    def line(self, pointer: Pointer) -> int:
        """The line where that value is written, also after it was moved."""
        for length in range(len(pointer), 0, -1):
            if pointer[:length] in self.moved:
                return self.line_of((*self.moved[pointer[:length]], *pointer[length:]))
        return self.line_of(pointer)

    def where(self, pointer: Pointer) -> str:
        """`file:line` of a value."""
        line = self.line(pointer)
        return f"{self.path}:{line}" if line else self.path

    def tell(self, pointer: Pointer, text: str, level: Level, code: str, hint: str = "") -> None:
        """Report something about a value."""
        said = f"{dotted(pointer)}: {text}" if pointer else text
        self.notices.append(Notice(text=said, level=level, where=self.where(pointer), hint=hint, code=code))

    def break_file(self, pointer: Pointer, text: str) -> None:
        """Report that the file cannot be used for approvals: a restriction in it cannot be understood."""
        self.broken = self.broken or f"{dotted(pointer)}: {text}"
        hint = "correct the file, or go on without it; until then nothing is approved without you"
        self.tell(pointer, text, "error", "settings_broken", hint)

    def move(self, moved: Mapping[Pointer, Pointer]) -> None:
        """Remember that values at new pointers are written elsewhere in the file."""
        self.moved.update(moved)

    def put(self, pointer: tuple[str, str], value: Any, origin: Pointer) -> None:
        """Set a nested value that an old key stands for, unless the new key is there itself."""
        outer, inner = pointer
        held = self.data.setdefault(outer, {})
        if is_object(held) and inner not in held:
            held[inner] = value
            self.moved[pointer] = origin
