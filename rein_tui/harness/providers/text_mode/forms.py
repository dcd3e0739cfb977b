"""How a call is written in each dialect that we prompt in: for the worked example, the history and skeletons."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ...protocol.base import JsonObject

Call: TypeAlias = tuple[str, JsonObject]
"""Name and arguments."""


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write calls. `stops` end an answer at the end of its first call."""

    name: str
    write: Callable[[Sequence[Call]], str]
    stops: tuple[str, ...] = ()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _each(before: str, after: str, key: str = "arguments") -> Callable[[Sequence[Call]], str]:
    def write(calls: Sequence[Call]) -> str:
        return "\n".join(before + _json({"name": name, key: given}) + after for name, given in calls)

    return write


def _mistral(calls: Sequence[Call]) -> str:
    return "[TOOL_CALLS]" + _json([{"name": name, "arguments": given} for name, given in calls])


def _pythonic(calls: Sequence[Call]) -> str:
    written = [f"{name}({', '.join(f'{key}={value!r}' for key, value in given.items())})" for name, given in calls]
    return f"[{', '.join(written)}]"


def _parameters(calls: Sequence[Call]) -> str:
    return "\n".join(
        f"<tool_call>\n<function={name}>\n"
        + "".join(f"<parameter={key}>\n{_text(value)}\n</parameter>\n" for key, value in given.items())
        + "</function>\n</tool_call>"
        for name, given in calls
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)


def _deepseek(calls: Sequence[Call]) -> str:
    inner = "\n".join(
        f"<｜tool▁call▁begin｜>function<｜tool▁sep｜>{name}\n```json\n{_json(given)}\n```<｜tool▁call▁end｜>"
        for name, given in calls
    )
    return f"<｜tool▁calls▁begin｜>{inner}<｜tool▁calls▁end｜>"


def _kimi(calls: Sequence[Call]) -> str:
    inner = "".join(
        f"<|tool_call_begin|>functions.{name}:{place}<|tool_call_argument_begin|>{_json(given)}<|tool_call_end|>"
        for place, (name, given) in enumerate(calls)
    )
    return f"<|tool_calls_section_begin|>{inner}<|tool_calls_section_end|>"


HERMES = Form("hermes", _each("<tool_call>\n", "\n</tool_call>"), ("</tool_call>",))
TOOLS_TAG = Form("tools tag", _each("<tools>\n", "\n</tools>"), ("</tools>",))
LLAMA = Form("llama", _each("", "", "parameters"))
FENCE = Form("tool_call fence", _each("```tool_call\n", "\n```", "input"))
_FORMS = {
    form.name: form
    for form in (
        HERMES,
        TOOLS_TAG,
        LLAMA,
        FENCE,
        Form("mistral", _mistral),
        Form("pythonic", _pythonic),
        Form("qwen3-coder", _parameters, ("</tool_call>",)),
        Form("deepseek", _deepseek, ("<｜tool▁calls▁end｜>",)),
        Form("kimi", _kimi, ("<|tool_calls_section_end|>",)),
    )
}
FORMS = tuple(_FORMS.values())


def form_named(name: str) -> Form:
    """The form of that name; Hermes for dialects that nobody is prompted in."""
    return _FORMS.get(name, HERMES)


def form_shown(dialect: str, raw: str) -> Form:
    """The form to prompt a model in that wrote `raw` by itself.

    Models that fence their JSON, or leave it bare, whatever tag they are told, do keep to `<tools>`.
    """
    if dialect in {"bare json", "fence"}:
        if "```tool_call" in raw:
            return FENCE
        return LLAMA if '"parameters"' in raw and "```" not in raw else TOOLS_TAG
    return form_named(dialect)
