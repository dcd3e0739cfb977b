"""What may come next while a person types `@server:…` or the arguments of a server's prompt."""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...protocol.mcp import McpSuggestion
from .connection import Connection
from .failures import McpFailure
from .names import prompt_name, split_arguments

if TYPE_CHECKING:
    from mcp.types import ResourceTemplate

MOST = 500
"""Suggestions at once."""

_PATIENCE = 2.0
"""Seconds that a server has to complete a word."""

_VARIABLE = re.compile(r"\{[+#./;?&]?([^}]*)\}")


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What connected servers offer to complete."""

    connected: Callable[[], Sequence[Connection]]

    async def of(self, query: str) -> list[McpSuggestion]:
        """Resources and templates for what stands behind an `@`; words for `/mcp__server__prompt …`."""
        try:
            async with asyncio.timeout(_PATIENCE):
                return (await self._words(query) if " " in query else await self._resources(query))[:MOST]
        except (McpFailure, TimeoutError):
            return []

    # --- resources ------------------------------------------------------------------------------------------

    async def _resources(self, query: str) -> list[McpSuggestion]:
        found: list[McpSuggestion] = []
        for connection in self.connected():
            name = connection.config.name
            for resource in connection.lists.resources:
                note = resource.title or resource.description or resource.name
                found.append(McpSuggestion(text=f"{name}:{resource.uri}", note=note[:200]))
            for template in connection.lists.templates:
                found += await self._template(connection, template, query)
        return [each for each in found if not re.search(r"\s", each.text)]

    async def _template(self, connection: Connection, template: "ResourceTemplate", query: str) -> list[McpSuggestion]:
        from mcp.types import ResourceTemplateReference

        name, pattern = connection.config.name, template.uri_template
        typed = _typed(pattern, query.removeprefix(f"{name}:")) if query.startswith(f"{name}:") else None
        note = (template.title or template.description or template.name)[:200]
        begin = f"{name}:{_VARIABLE.split(pattern)[0]}"
        if typed is None:
            return [McpSuggestion(text=begin, label=f"{name}:{pattern}", note=note)]
        reference = ResourceTemplateReference(uri=pattern)
        values = await connection.complete(reference, typed.variable, typed.value, typed.before)
        head = f"{name}:{typed.head}"
        return [McpSuggestion(text=f"{head}{value}{typed.tail}", note=note) for value in values]

    # --- arguments of prompts -------------------------------------------------------------------------------

    async def _words(self, query: str) -> list[McpSuggestion]:
        from mcp.types import PromptReference

        command, _, words = query.removeprefix("/").partition(" ")
        for connection in self.connected():
            for prompt in connection.lists.prompts:
                arguments = prompt.arguments or []
                if prompt_name(connection.config.name, prompt.name) != command or not arguments:
                    continue
                said = split_arguments(words, len(arguments))
                if not words or words[-1].isspace():
                    said.append("")
                index = min(len(said), len(arguments)) - 1
                before = {argument.name: value for argument, value in zip(arguments, said[:index], strict=False)}
                argument = arguments[index]
                reference = PromptReference(name=prompt.name)
                values = await connection.complete(reference, argument.name, said[index], before)
                return [
                    McpSuggestion(text=f'"{value}"' if " " in value else value, label=value, note=argument.name)
                    for value in values
                    if value != said[index]
                ]
        return []


@dataclass(frozen=True, slots=True)
class _Typed:
    """Where in a template somebody is: `head` is settled, `value` is being typed, `tail` comes behind it."""

    head: str
    variable: str
    value: str
    tail: str
    before: dict[str, str]


def _typed(pattern: str, text: str) -> _Typed | None:
    """The variable of the template that is being typed; None when the text is not that far, or is something else."""
    parts = _VARIABLE.split(pattern)  # literal, variable, literal, variable … literal
    head, rest = "", text
    before: dict[str, str] = {}
    for index in range(0, len(parts) - 1, 2):
        literal, variable, behind = parts[index], parts[index + 1], parts[index + 2]
        if not rest.startswith(literal):
            return None
        head, rest = head + literal, rest.removeprefix(literal)
        if not behind or behind not in rest:
            return _Typed(head, variable, rest, behind, before)
        value = rest.partition(behind)[0]
        before[variable] = value
        head, rest = head + value, rest.removeprefix(value)
    return None
