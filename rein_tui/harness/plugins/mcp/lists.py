"""What a server offers: its tools, resources and prompts, all pages of them within reason."""

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from .failures import sdk_errors

if TYPE_CHECKING:
    from mcp.client import Client
    from mcp.types import Prompt, Resource, ResourceTemplate, Tool

Part: TypeAlias = Literal["tools", "resources", "prompts"]
ALL_PARTS: frozenset[Part] = frozenset({"tools", "resources", "prompts"})

MOST_PAGES, MOST_ITEMS = 50, 1000
"""Pages and items of one list that are looked at."""


@dataclass(slots=True)
class Lists:
    """The lists as last read."""

    tools: list["Tool"] = field(default_factory=list["Tool"])
    resources: list["Resource"] = field(default_factory=list["Resource"])
    templates: list["ResourceTemplate"] = field(default_factory=list["ResourceTemplate"])
    prompts: list["Prompt"] = field(default_factory=list["Prompt"])

    async def load(self, client: "Client", parts: frozenset[Part]) -> None:
        """Read these lists anew. Raises what the SDK raises; a list that was not read stays as it was."""
        offered = client.server_capabilities
        problems: list[Exception] = []
        if "tools" in parts and offered.tools is not None:
            with _kept(problems):
                self.tools = await _pages(client.list_tools, lambda page: page.tools)
        if "resources" in parts and offered.resources is not None:
            with _kept(problems):
                self.resources = await _pages(client.list_resources, lambda page: page.resources)
            with _kept([]):  # a server with resources need not know of templates
                self.templates = await _pages(client.list_resource_templates, lambda page: page.resource_templates)
        if "prompts" in parts and offered.prompts is not None:
            with _kept(problems):
                self.prompts = await _pages(client.list_prompts, lambda page: page.prompts)
        if problems:
            raise problems[0]


@contextmanager
def _kept(problems: list[Exception]) -> Generator[None]:
    """One list that a server cannot give takes no other along."""
    try:
        yield
    except TimeoutError:
        raise  # so is the time for the others
    except sdk_errors() as problem:
        problems.append(problem)


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
