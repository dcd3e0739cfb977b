"""What `@` completes: the files of the project, and what MCP servers have; and the words of their prompts."""

from collections.abc import AsyncGenerator, Callable, Sequence

from .harness.protocol.mcp import McpServers, McpSuggestion
from .widgets import fuzzy
from .widgets.composer.sources import Candidate, Completer

MOST = 50


class Mentions:
    """widgets.composer.sources.Completer over files and the servers of the session on the screen."""

    def __init__(self, files: Completer, servers: Callable[[], McpServers | None]) -> None:
        self._files = files
        self._servers = servers

    async def complete(self, query: str) -> AsyncGenerator[Sequence[Candidate]]:
        """Files first; what a server is named for goes before them. A query with a blank is about a prompt's words."""
        servers = self._servers()
        suggested = await servers.suggest(query) if servers is not None else ()
        if " " in query:
            yield [Candidate(f"{each.text} ", each.label or each.text, each.note) for each in suggested]
            return
        offered = [hit for each in suggested if (hit := _candidate(query, each)) is not None]
        offered = [candidate for _, candidate in sorted(offered, key=lambda hit: -hit[0])][:MOST]
        if ":" in query and offered:
            yield offered
            return
        is_named = bool(query) and any(each.text.lower().startswith(query.lower()) for each in suggested)
        async for found in self._files.complete(query):
            yield [*offered, *found] if is_named else [*found, *offered]


def _candidate(query: str, suggestion: McpSuggestion) -> tuple[int, Candidate] | None:
    label = suggestion.label or suggestion.text
    hit = fuzzy.match(query, label) if query else (0, ())
    if hit is None and not suggestion.text.startswith(query):
        return None
    score, marks = hit or (0, ())
    # A template is not done yet: what fills it in is typed right behind it.
    insert = f"@{suggestion.text}" if suggestion.label else f"@{suggestion.text} "
    return score, Candidate(insert=insert, label=label, note=suggestion.note, marks=marks)
