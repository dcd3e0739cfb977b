"""What a server offers: its tools, resources and prompts, all pages of them within reason."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from mcp.client import Client
    from mcp.types import Prompt, Resource, Tool

Part: TypeAlias = Literal["tools", "resources", "prompts"]
ALL_PARTS: frozenset[Part] = frozenset({"tools", "resources", "prompts"})

MOST_PAGES, MOST_ITEMS = 50, 1000
"""Pages and items of one list that are looked at."""


@dataclass(slots=True)
class Lists:
    """The lists as last read."""

    tools: list["Tool"] = field(default_factory=list["Tool"])
    resources: list["Resource"] = field(default_factory=list["Resource"])
    prompts: list["Prompt"] = field(default_factory=list["Prompt"])

    async def load(self, client: "Client", parts: frozenset[Part]) -> None:
        """Read these lists anew. Raises what the SDK raises; a list that was not read stays as it was."""
        offered = client.server_capabilities
        if "tools" in parts and offered.tools is not None:
            self.tools = await _pages(client.list_tools, lambda page: page.tools)
        if "resources" in parts and offered.resources is not None:
            self.resources = await _pages(client.list_resources, lambda page: page.resources)
        if "prompts" in parts and offered.prompts is not None:
            self.prompts = await _pages(client.list_prompts, lambda page: page.prompts)


def parts_named(text: str) -> frozenset[Part]:
    """The lists that the name of a notification or event speaks of."""
    return frozenset(part for part in ALL_PARTS if part[:-1] in text.lower())


async def _pages(read: Callable[..., Awaitable[Any]], items_of: Callable[[Any], list[Any]]) -> list[Any]:
    found: list[Any] = []
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page = await read(cursor=cursor, cache_mode="refresh")
        found += items_of(page)
        cursor = page.next_cursor
        if cursor is None or len(found) >= MOST_ITEMS:
            break
    return found[:MOST_ITEMS]
