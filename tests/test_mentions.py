"""What `@` completes: files, resources of servers, and the words of their prompts."""

from collections.abc import AsyncGenerator, Sequence

from rein_tui.harness.protocol.mcp import McpServerState, McpSuggestion
from rein_tui.harness.protocol.workbench import CommandInfo
from rein_tui.mentions import Mentions
from rein_tui.widgets.composer.kinds import typed_before
from rein_tui.widgets.composer.sources import Candidate


class Files:
    """Two files, whatever is asked."""

    async def complete(self, query: str) -> AsyncGenerator[Sequence[Candidate]]:
        """Both."""
        yield [Candidate("@docs/a.md ", "docs/a.md"), Candidate("@shop.py ", "shop.py")]


class Servers:
    """Servers that offer the same whatever was typed."""

    def __init__(self, *offered: McpSuggestion) -> None:
        self._offered = offered

    def states(self) -> Sequence[McpServerState]:
        """Nobody asks."""
        return ()

    def commands(self) -> Sequence[CommandInfo]:
        """None."""
        return ()

    async def suggest(self, query: str) -> Sequence[McpSuggestion]:
        """All."""
        return self._offered

    async def reconnect(self, name: str) -> None:
        """Nobody asks."""

    async def log_out(self, name: str) -> None:
        """Nobody asks."""

    async def approve(self, name: str) -> None:
        """Nobody asks."""

    async def deny(self, name: str) -> None:
        """Nobody asks."""

    async def switch(self, name: str, on: bool) -> None:
        """Nobody asks."""


SHOP = Servers(
    McpSuggestion(text="shop:item://1", note="One"),
    McpSuggestion(text="shop:item://", label="shop:item://{id}", note="Any"),
)


async def candidates(query: str, servers: Servers | None = SHOP) -> list[Candidate]:
    answers = [list(found) async for found in Mentions(Files(), lambda: servers).complete(query)]
    return answers[-1]


async def test_files_come_first_but_for_a_server_that_is_named() -> None:
    assert [found.label for found in await candidates("")][:3] == ["docs/a.md", "shop.py", "shop:item://1"]
    named = await candidates("sho")
    assert [found.insert for found in named[:2]] == ["@shop:item://1 ", "@shop:item://"]
    assert len(named) == 4
    assert [found.label for found in await candidates("shop:")] == ["shop:item://1", "shop:item://{id}"]
    assert [found.label for found in await candidates("zzz")] == ["docs/a.md", "shop.py"]
    assert [found.label for found in await candidates("", None)] == ["docs/a.md", "shop.py"]


async def test_the_words_of_a_prompt_are_its_servers_alone() -> None:
    words = Servers(McpSuggestion(text='"two words"', label="two words", note="name"))
    assert [found.insert for found in await candidates("/mcp__s__p tw", words)] == ['"two words" ']


def test_where_the_word_begins() -> None:
    assert typed_before(0, "/mcp__s__p one tw") == (" ", "/mcp__s__p one tw", 15)
    assert typed_before(0, "/mcp__s__p ") == (" ", "/mcp__s__p ", 11)
    assert typed_before(0, "/mcp__s__p one @fi") == ("@", "fi", 15)
    assert typed_before(0, "/other one tw") is None
    assert typed_before(1, "/mcp__s__p one") is None
