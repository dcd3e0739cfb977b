"""What the SDK raises, in words for a person. It nests errors in groups; the first leaf is what happened."""

import asyncio
import importlib
from typing import TYPE_CHECKING, cast

from ...protocol.errors import ReinError, StartError

if TYPE_CHECKING:
    from mcp.types import ElicitRequestURLParams

INSTALL = "pip install 'rein-tui[mcp]'"


class McpFailure(ReinError):
    """A server cannot do what was asked of it: it is not connected, refused, or broke off."""


async def load_sdk() -> None:
    """Import the SDK in a thread: it takes more than a second. Raises StartError where it is not installed."""
    try:
        await asyncio.to_thread(_import_all)
    except ImportError as problem:
        raise StartError("MCP servers need the mcp package.", hint=f"Install it: {INSTALL}") from problem


def _import_all() -> None:
    for module in ("mcp.client.client", "mcp.client.sse", "mcp.client.streamable_http", "mcp.client.auth"):
        importlib.import_module(module)


def sdk_errors() -> tuple[type[Exception], ...]:
    """What servers, transports and the SDK raise for reasons that are not ours. Import the SDK first."""
    import anyio
    import httpx2
    from mcp.client.auth import OAuthFlowError
    from mcp.shared.exceptions import MCPError
    from pydantic import ValidationError

    return (
        MCPError,
        ValidationError,
        OAuthFlowError,
        httpx2.HTTPError,
        httpx2.StreamError,
        httpx2.InvalidURL,
        anyio.ClosedResourceError,
        anyio.BrokenResourceError,
        anyio.EndOfStream,
        OSError,
        TimeoutError,
        RuntimeError,
        ValueError,
    )


def leaves(problem: BaseException) -> list[BaseException]:
    """The errors inside of groups, outermost first."""
    if not isinstance(problem, BaseExceptionGroup):
        return [problem]
    inner = cast("BaseExceptionGroup[BaseException]", problem).exceptions
    return [leaf for each in inner for leaf in leaves(each)]


def is_expected(problem: BaseException) -> bool:
    """Whether all that happened has reasons that are not ours."""
    return all(isinstance(leaf, (*sdk_errors(), ReinError)) for leaf in leaves(problem))


def in_words(problem: BaseException) -> str:
    """One line about what happened."""
    leaf = leaves(problem)[0]
    if isinstance(leaf, FileNotFoundError):
        return f"{leaf.filename or 'the command'} was not found"
    if isinstance(leaf, PermissionError):
        return f"{leaf.filename or 'the command'} cannot be run: {leaf.strerror}"
    text = " ".join(str(leaf).split()) or type(leaf).__name__
    return text[:500]


def means_lost(problem: Exception) -> bool:
    """Whether an error of a call says that the connection itself is gone."""
    import anyio
    import httpx2
    from mcp.shared.exceptions import MCPError
    from mcp.types import CONNECTION_CLOSED

    if isinstance(problem, MCPError):
        return problem.code == CONNECTION_CLOSED or problem.message == "Session terminated"
    gone = (anyio.ClosedResourceError, anyio.BrokenResourceError, anyio.EndOfStream, httpx2.TransportError)
    return isinstance(problem, (*gone, ConnectionError))


def addresses_wanted(problem: BaseException | None) -> "list[ElicitRequestURLParams]":
    """What the person has to open before the server takes the call that failed this way."""
    from mcp.shared.exceptions import MCPError, UrlElicitationRequiredError
    from mcp.types import URL_ELICITATION_REQUIRED
    from pydantic import ValidationError

    if not isinstance(problem, MCPError) or problem.code != URL_ELICITATION_REQUIRED:
        return []
    try:
        return UrlElicitationRequiredError.from_error(problem.error).elicitations
    except (ValidationError, ValueError, TypeError, KeyError):
        return []


def is_transient(problem: Exception) -> bool:
    """Whether connecting again may help."""
    return any(isinstance(leaf, Exception) and means_lost(leaf) for leaf in leaves(problem))
