"""What models write when their calls do not come as calls, after public reports: `dialects.jsonl` beside this file.

A line without a dialect holds an answer that must never become a call. The bench and the documentation stand on
the same lines.
"""

from pathlib import Path
from typing import Any

import msgspec

from rein_tui.harness.protocol.messages import ToolSpec


class Case(msgspec.Struct, frozen=True):
    """One answer of a model and the calls (name, input) that it stands for; `source` says where it is documented."""

    text: str
    calls: tuple[tuple[str, dict[str, Any]], ...]
    dialect: str = ""
    source: str = ""
    repaired: bool = False
    prose: str = ""


def spec(name: str, required: list[str], /, **fields: Any) -> ToolSpec:
    """A tool with these fields; a str is short for its type."""
    properties = {key: {"type": value} if isinstance(value, str) else value for key, value in fields.items()}
    schema = {"type": "object", "properties": properties, "required": required}
    return ToolSpec(name=name, description=f"{name} does it. And more.\nMuch more.", input_schema=schema)


_UNITS = {"type": "string", "enum": ["c", "f"]}
_NAMES = {"type": "array", "items": {"type": "string"}}
_EDIT = dict.fromkeys(("file_path", "old_string", "new_string"), "string")
TOOLS = (
    spec("Bash", ["command"], command="string", timeout="integer", run_in_background="boolean"),
    spec("Read", ["file_path"], file_path="string", offset="integer", limit="integer"),
    spec("Edit", [*_EDIT], **_EDIT, replace_all="boolean"),
    spec("Write", ["file_path", "content"], file_path="string", content="string"),
    spec("Grep", ["pattern"], pattern="string", path="string", glob="string"),
    spec("Glob", ["pattern"], pattern="string", path="string"),
    spec("get_weather", ["city"], city="string", days="integer", units=_UNITS),
    spec("tag", ["names"], names=_NAMES, weight="number"),
)
_LINES = (Path(__file__).parent / "dialects.jsonl").read_bytes().splitlines()
_ALL = [msgspec.json.decode(line, type=Case) for line in _LINES]
CASES = [case for case in _ALL if case.dialect]
NEVER = [case.text for case in _ALL if not case.dialect]
