"""A call as written → the tool and the input that it meant, by the schemas that were sent.

Renaming to the same letters is layout; an alias, a slip of two letters, another type or a dropped key is a guess
and counts as semantic.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from ...protocol.base import JsonObject
from ...protocol.messages import ToolSpec
from .lenient import Repair, load
from .pythonic import POSITION
from .shapes import RawCall

_TOOL_ALIASES: dict[str, str] = {
    alias: name
    for name, aliases in {
        "Bash": "shell sh run exec terminal cmd command runcommand executecommand execute runshellcommand runbash "
        "executebash localshell runterminalcmd runinterminal bashcommand runshell terminalrun powershell",
        "Read": "readfile fileread openfile viewfile view cat getfile readtext readfilecontent readfilecontents "
        "fetchfilecontent getfilecontent",
        "Write": "writefile writetofile createfile filewrite savefile newfile writetext overwritefile",
        "Edit": "editfile replace strreplace replaceinfile searchreplace applyedit modifyfile updatefile fileedit "
        "strreplaceeditor editfilecontent",
        "Grep": "search searchfiles grepsearch ripgrep rg searchcontent searchtext searchfilecontent searchcode",
        "Glob": "findfiles filesearch globsearch findfile globfiles",
        "WebFetch": "fetch fetchurl webfetchurl readurl openurl httpget",
        "TodoWrite": "todo updatetodos updatetodolist writetodos managetodolist",
    }.items()
    for alias in aliases.split()
}
_OLD_NAMES = {
    "task": "Agent",
    "bashoutput": "TaskOutput",
    "agentoutput": "TaskOutput",
    "killshell": "TaskStop",
    "killbash": "TaskStop",
}
"""What tools were called before, folded: the same tool beyond doubt."""

_FIELD_ALIASES: dict[str, tuple[str, ...]] = {
    "file_path": ("path", "file", "filename", "filepath", "target_file", "absolute_path", "target", "source"),
    "command": ("cmd", "script", "shell_command", "bash", "code", "input", "commands"),
    "pattern": ("query", "regex", "search", "glob", "expression", "search_pattern", "glob_pattern", "q", "text"),
    "content": ("contents", "text", "file_content", "file_text", "data", "code", "code_edit", "body"),
    "old_string": ("old", "old_str", "search", "old_text", "find", "old_content", "target"),
    "new_string": ("new", "new_str", "replace", "new_text", "replacement", "new_content"),
    "path": ("directory", "dir", "folder", "file_path", "search_path", "root", "include"),
    "url": ("link", "uri", "address"),
    "prompt": ("question", "instructions", "task"),
}
_DIGITS = re.compile(r"[+-]?\d+")
_PREFIXES = ("functions.", "function.", "default_api.", "tools.", "tool.", "functions::", "mcp.")


@dataclass(frozen=True, slots=True)
class Fitted:
    """A call for a tool that was sent. `problem` is set when it cannot run: what is wrong, for the model."""

    name: str
    input: JsonObject
    repairs: tuple[Repair, ...] = ()
    problem: str = ""
    raw: str = ""


class Tools:
    """The tools that were sent, by every name that means one of them."""

    def __init__(self, specs: Iterable[ToolSpec]) -> None:
        self.specs = {spec.name: spec for spec in specs}
        self._folded = {_fold(name): name for name in self.specs}

    def knows(self, call: RawCall | str) -> bool:
        """Whether a call or a name means a tool beyond doubt: itself, in another case, or by a usual alias.

        Where the arguments only stand beside the name, one of them must be the tool's: packages have names, too.
        """
        found = self.resolve(call if isinstance(call, str) else call.name)
        if found is None or (found[1] and found[1].what.startswith("misspelt")):
            return False
        if isinstance(call, str) or not call.beside:
            return True
        fields = self.specs[found[0]].input_schema.get("properties", {})
        return not fields or bool(fields.keys() & _renamed(call.arguments, fields, [], []).keys())

    def resolve(self, name: str) -> tuple[str, Repair | None] | None:
        """The tool that a name means, and the repair if it had another; None when no tool is near."""
        if name in self.specs:
            return name, None
        bare = name.strip()
        for prefix in _PREFIXES:
            bare = bare.removeprefix(prefix)
        folded = _fold(bare)
        if same := self._folded.get(folded) or self._folded.get(_fold(bare.rpartition(".")[2])):
            return same, Repair(f"tool name {name!r} → {same}")
        if (renamed := _OLD_NAMES.get(folded, "")) in self.specs:
            return renamed, Repair(f"tool name {name!r} → {renamed}")
        alias = _TOOL_ALIASES.get(folded, "")
        if alias in self.specs:
            return alias, Repair(f"tool name {name!r} → {alias}", semantic=True)
        near = sorted((_distance(folded, other), known) for other, known in self._folded.items())
        if near and near[0][0] <= min(2, len(folded) // 3) and (len(near) == 1 or near[1][0] > near[0][0]):
            return near[0][1], Repair(f"misspelt tool name {name!r} → {near[0][1]}", semantic=True)
        return None

    def fit(self, call: RawCall) -> Fitted:
        """The call as the tool takes it, every step noted; with a problem where it cannot be run."""
        found = self.resolve(call.name)
        name, renamed = found or (call.name, None)
        repairs = (*call.repairs, *((renamed,) if renamed else ()))
        if call.problem:
            return Fitted(name, {}, repairs, call.problem, call.raw or call.name)
        if found is None:
            known = ", ".join(self.specs)
            return Fitted(name, call.arguments, repairs, f"there is no tool {name!r}; the tools are: {known}")
        arguments, steps = _fit_arguments(call, self.specs[name].input_schema)
        problem = missing(arguments, self.specs[name].input_schema)
        return Fitted(name, arguments, (*repairs, *steps), problem)


def missing(arguments: JsonObject, schema: JsonObject) -> str:
    """What the schema demands and the arguments lack, in words for the model; empty when nothing."""
    lacking = [name for name in cast(list[str], schema.get("required", [])) if name not in arguments]
    words = ", ".join(f'"{name}"' for name in lacking)
    return f"missing {words}" if lacking else ""


def _fold(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _fit_arguments(call: RawCall, schema: JsonObject) -> tuple[JsonObject, list[Repair]]:
    fields = cast(dict[str, JsonObject], schema.get("properties", {}))
    steps: list[Repair] = []
    given = _unwrapped(call.arguments, fields, steps)
    if not fields:
        return given, steps
    named = _renamed(given, fields, cast(list[str], schema.get("required", [])), steps)
    if schema.get("additionalProperties") not in ({}, True):
        dropped = [key for key in named if key not in fields]
        steps += [Repair(f"unknown key {key!r} dropped", semantic=True) for key in dropped]
        named = {key: value for key, value in named.items() if key in fields}
    fitted: JsonObject = {}
    for key, value in named.items():
        fitted[key] = coerced(value, fields.get(key, {}))
        # Values in tags are text by nature: reading them by the schema is no repair.
        if call.typed and (fitted[key] != value or type(fitted[key]) is not type(value)):
            steps.append(Repair(f"{key}: {_short(value)} → {_short(fitted[key])}", semantic=True))
    return fitted, steps


def _unwrapped(arguments: JsonObject, fields: JsonObject, steps: list[Repair]) -> JsonObject:
    """Arguments out of `_raw`, `arguments` or `input` around them."""
    if len(arguments) == 1:
        ((key, value),) = arguments.items()
        if key not in fields and key in {"_raw", "raw", "arguments", "parameters", "input", "args", "kwargs"}:
            inner: Any = value
            if isinstance(value, str):
                try:
                    inner, more = load(value)
                except ValueError:
                    return arguments
                steps += more
            if isinstance(inner, dict):
                steps.append(Repair(f"the arguments stood under {key!r}"))
                return cast(JsonObject, inner)
    return arguments


def _renamed(given: JsonObject, fields: JsonObject, required: Sequence[str], steps: list[Repair]) -> JsonObject:
    by_fold = {_fold(name): name for name in fields}
    order = [*required, *(name for name in fields if name not in required)]
    found = {key: value for key, value in given.items() if key in fields}
    for key, value in given.items():
        if key in fields:
            continue
        same = by_fold.get(_fold(key), "")
        if key.startswith(POSITION) and key[1:].isdecimal() and int(key[1:]) < len(order):
            name = order[int(key[1:])]
        elif same and same not in found:
            name = same
            steps.append(Repair(f"key {key!r} → {name}"))
        else:
            name = next(
                (
                    n
                    for n in order
                    if _fold(key) in map(_fold, _FIELD_ALIASES.get(n, ())) and n not in found and n not in given
                ),
                "",
            )
            if name:
                steps.append(Repair(f"key {key!r} → {name}", semantic=True))
        found[name if name and name not in found else key] = value
    return found


def coerced(value: Any, schema: JsonObject) -> Any:
    """The value in the type that the schema wants where that is plain; else unchanged."""
    wanted = schema.get("type", "")
    match wanted, value:
        case ("integer", str()) if _DIGITS.fullmatch(value.strip()):
            return int(value)
        case ("integer", float()) if value.is_integer():
            return int(value)
        case ("number", str()):
            return _number(value)
        case ("boolean", str()) if value.strip().lower() in {"true", "false", "yes", "no"}:
            return value.strip().lower() in {"true", "yes"}
        case ("string", bool()):
            return json.dumps(value)
        case ("string", int() | float()):
            return str(value)
        case ("array" | "object", str()):
            return _decoded(value, wanted)
        case ("array", list()):
            items = cast(JsonObject, schema.get("items") or {})
            return [coerced(item, items) for item in cast(list[Any], value)]
        case ("object", dict()):
            inner = cast(dict[str, JsonObject], schema.get("properties") or {})
            return {key: coerced(item, inner.get(key, {})) for key, item in cast(JsonObject, value).items()}
        case ("array", None):
            return value
        case ("array", _):
            return [value]
        case _:
            return value


def _number(value: str) -> Any:
    try:
        return int(value) if _DIGITS.fullmatch(value.strip()) else float(value)
    except ValueError:
        return value


def _decoded(value: str, wanted: str) -> Any:
    try:
        found, _ = load(value)
    except ValueError:
        found = None
    if wanted == "object":
        return cast(object, found) if isinstance(found, dict) else value
    return cast(object, found) if isinstance(found, list) else [value]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else text[:39] + "…"


def _distance(one: str, other: str) -> int:
    """Edit distance, counted to 3 at most."""
    if abs(len(one) - len(other)) > 2:
        return 3
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (a != b))
    return min(row[-1], 3)
