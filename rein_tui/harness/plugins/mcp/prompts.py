"""What servers offer to people: prompts as slash commands, resources as `@server:uri`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...protocol.errors import ReinError
from ...protocol.messages import Block, ImageBlock, TextBlock
from ...protocol.workbench import CommandInfo
from .connection import Connection
from .names import prompt_name, split_arguments
from .results import Keeping, blocks_of, resource_block

if TYPE_CHECKING:
    from mcp.types import Prompt


@dataclass(frozen=True, slots=True)
class Prompts:
    """Prompts and resources of the servers that are connected."""

    connected: Callable[[], Sequence[Connection]]
    keeping: Keeping

    def commands(self) -> tuple[CommandInfo, ...]:
        """All prompts, as commands."""
        return tuple(
            CommandInfo(
                name=prompt_name(connection.config.name, prompt.name),
                summary=(prompt.description or prompt.title or "")[:300],
                argument=" ".join(_hint(argument.name, argument.required) for argument in prompt.arguments or ()),
                source=f"MCP server {connection.config.name}",
            )
            for connection in self.connected()
            for prompt in connection.lists.prompts
        )

    async def expand(self, text: str) -> tuple[Block, ...] | None:
        """`/mcp__server__prompt words` filled in by its server; None when it is no such command. Raises ReinError."""
        name, _, words = text.removeprefix("/").partition(" ")
        for connection in self.connected():
            for prompt in connection.lists.prompts:
                if text.startswith("/") and prompt_name(connection.config.name, prompt.name) == name:
                    return await self._filled(connection, prompt, words.strip())
        return None

    async def _filled(self, connection: Connection, prompt: "Prompt", words: str) -> tuple[Block, ...]:
        names = [argument.name for argument in prompt.arguments or ()]
        values = split_arguments(words, len(names))
        given = dict(zip(names, values, strict=False))
        missing = [
            argument.name for argument in prompt.arguments or () if argument.required and not given.get(argument.name)
        ]
        if missing:
            command = prompt_name(connection.config.name, prompt.name)
            raise ReinError(
                f"/{command} needs {', '.join(missing)}.", hint=f"/{command} {' '.join(f'<{n}>' for n in names)}"
            )
        answer = await connection.prompt(prompt.name, given)
        blocks: list[Block] = []
        for message in answer.messages:
            parts = await blocks_of([message.content], self.keeping, prompt.name, self.keeping.limit(None))
            if message.role == "assistant":
                parts = tuple(_quoted(part) for part in parts)
            blocks += parts
        return tuple(blocks)

    async def resource(self, reference: str) -> tuple[Block, ...] | None:
        """`server:uri` read from its server; None when no server has that name. Raises ReinError."""
        # A plugin's server has colons in its name, and so do addresses.
        named = [c for c in self.connected() if reference.startswith(f"{c.config.name}:")]
        connection = max(named, key=lambda c: len(c.config.name), default=None)
        uri = reference.removeprefix(f"{connection.config.name}:") if connection is not None else ""
        if connection is None or not uri:
            return None
        answer = await connection.read(uri)
        limit = self.keeping.limit(None)
        return tuple([await resource_block(each, self.keeping, "resource", limit) for each in answer.contents])


def _hint(name: str, required: bool | None) -> str:
    return f"<{name}>" if required else f"[{name}]"


def _quoted(part: TextBlock | ImageBlock) -> TextBlock | ImageBlock:
    """What the server puts into the model's mouth stays a quotation in the person's message."""
    return TextBlock(text=f"(example answer) {part.text}") if isinstance(part, TextBlock) else part
