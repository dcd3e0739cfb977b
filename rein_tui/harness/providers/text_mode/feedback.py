"""What a model is told whose call could not be read: what was wrong, the schema, and how it should look.

The failed attempt and these words live in one request only. Once a call succeeds nothing of them stays: examples of
failure teach a model to fail.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import structs

from ...protocol.base import JsonObject
from ...protocol.messages import Message, TextBlock, ToolSpec, ToolUseBlock
from ...protocol.models import Completed, ModelRequest
from .fitting import Tools, missing
from .forms import Form
from .prompt import example, flat, signature, slim
from .quoting import ASKED_AGAIN

RETRIES = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """A call that cannot be run. `tool` is the tool that it meant, if that is clear; `given` what it said of it."""

    call: ToolUseBlock
    what: str
    tool: ToolSpec | None = None


def problem_in(done: Completed, tools: Sequence[ToolSpec]) -> Problem | None:
    """The first call of a message that cannot be run; None when all can, or when the answer was cut off."""
    if done.stop_reason in {"max_tokens", "incomplete", "context_full"}:
        return None
    known = Tools(tools)
    for call in done.message.tool_uses:
        meant = known.resolve(call.name)
        tool = known.specs[meant[0]] if meant else None
        if call.malformed:
            return Problem(call, "its input is not one valid JSON object", tool)
        if tool is None and "ToolSearch" in known.specs and call.name.startswith("mcp__"):
            continue  # it waits to be searched for, and may be called all the same
        if tool is None:
            return Problem(call, f"there is no tool {call.name!r}; the tools are: {', '.join(known.specs)}")
        if lacking := missing(call.input, tool.input_schema):
            return Problem(call, f"its input is {lacking}", tool)
    return None


def asked_again(
    request: ModelRequest, done: Completed, problem: Problem, form: Form, *, constrained: bool
) -> ModelRequest:
    """The request with the failed attempt and what was wrong with it. `constrained` lets the server hold the form."""
    tools = tuple(tool for tool in request.tools if problem.tool is None or tool.name == problem.tool.name)
    said = done.parse.raw if done.parse and done.parse.dialect != "native" else _attempt(done, problem.call)
    words = ask_for_json(problem, tools) if constrained else explain(problem, form)
    attempt = Message(role="assistant", blocks=(TextBlock(text=said),))
    answer = Message(role="user", blocks=(TextBlock(text=words),), id=ASKED_AGAIN)
    changed = structs.replace(request, messages=(*request.messages, attempt, answer))
    if not constrained:
        return changed
    return structs.replace(changed, forced_schema=call_schema(tools), tools=tools, temperature=0.0)


def _attempt(done: Completed, call: ToolUseBlock) -> str:
    raw = call.malformed or str(call.input)
    return "\n".join(part for part in (done.message.text.strip(), f"{call.name} {raw}"[:2000]) if part)


def explain(problem: Problem, form: Form) -> str:
    """What was wrong, the schema line, and a skeleton in the form that the model uses."""
    lines = [f"Your call of {problem.call.name} could not be run: {problem.what}."]
    if problem.tool is not None:
        (lean,) = slim([structs.replace(problem.tool, source="")])
        skeleton = form.write([(lean.name, {**example(lean), **_kept(problem, lean)})])
        lines += [f"The tool is {signature(lean).removeprefix('- ')}", "", "Write the call again, like this:", skeleton]
    else:
        lines.append("Write the call again with one of these tools.")
    return "\n".join(lines)


def _kept(problem: Problem, tool: ToolSpec) -> JsonObject:
    fields: JsonObject = tool.input_schema["properties"]
    return {key: value for key, value in problem.call.input.items() if key in fields}


def ask_for_json(problem: Problem, tools: Sequence[ToolSpec]) -> str:
    """The words of the constrained try: the server allows nothing but the object."""
    listed = "\n".join(signature(tool) for tool in slim(structs.replace(tool, source="") for tool in tools))
    return (
        f"That call could not be run either: {problem.what}.\n"
        f'Answer with one JSON object {{"name": …, "arguments": {{…}}}} and nothing else.\n{listed}'
    )


def call_schema(tools: Sequence[ToolSpec]) -> JsonObject:
    """The JSON schema of one call: a name, and arguments of that tool or one of these tools."""
    arguments = [{**flat(tool.input_schema), "additionalProperties": False} for tool in tools]
    return {
        "type": "object",
        "properties": {
            "name": {"type": "string", "enum": [tool.name for tool in tools]},
            "arguments": arguments[0] if len(arguments) == 1 else {"oneOf": arguments},
        },
        "required": ["name", "arguments"],
        "additionalProperties": False,
    }
