"""How a server is reached, how it greets, and how a connection to it ended: the values around a connection."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from ...protocol.mcp import McpCondition
from .log import ServerLog

if TYPE_CHECKING:
    from mcp.client import Client

LONGEST_INSTRUCTIONS = 2048

MakeTransport: TypeAlias = Callable[
    [ServerLog, Callable[[str], None], Callable[[int], None], bool], AbstractAsyncContextManager[Any]
]
"""The log, what hears of the end of the output, what hears of a refused login, whether a person waits for one."""


@dataclass(frozen=True, slots=True)
class Dial:
    """How to reach a server: makes the SDK's transport. Timeouts are in seconds."""

    transport: MakeTransport
    start_timeout: float = 30.0
    idle_timeout: float = 1800.0
    call_timeout: float = 100_000.0


@dataclass(frozen=True, slots=True)
class Ending:
    """How one connection ended."""

    condition: McpCondition
    error: str = ""
    hint: str = ""
    was_connected: bool = False
    is_transient: bool = False


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a server says of itself; none of it is verified."""

    instructions: str = ""
    version: str = ""
    protocol: str = ""

    @classmethod
    def of(cls, client: "Client") -> "Greeting":
        """As it was said when the connection was made."""
        info = client.server_info
        name = f"{info.name} {info.version}" if info is not None else ""
        return cls((client.instructions or "")[:LONGEST_INSTRUCTIONS], name, client.protocol_version)
