"""Requests about what stands behind a session: what was sent, its hooks, its MCP servers, what files bring."""

from typing import Literal

from rein_tui.harness.protocol.base import Word
from rein_tui.harness.protocol.hooks import HookOutcome, HookRun
from rein_tui.harness.protocol.mcp import McpServerState
from rein_tui.harness.protocol.workbench import CommandInfo


class SentRequest(Word, frozen=True, kw_only=True, tag="sent_request"):
    """The request of a step as it went to the model, keys redacted. Reply: WireRequest, or null."""

    session: str
    turn: int
    step: int


class Rehearse(Word, frozen=True, kw_only=True, tag="rehearse"):
    """Run the hooks of a recorded moment again, dry; owner only. Reply: Rehearsed, or null."""

    session: str
    run: HookRun


class Rehearsed(Word, frozen=True, kw_only=True, tag="rehearsed"):
    """What the hooks did this time."""

    runs: tuple[HookRun, ...]
    outcome: HookOutcome


class ListMcp(Word, frozen=True, kw_only=True, tag="mcp"):
    """The session's MCP servers and the commands that they bring. Reply: McpView."""

    session: str


class McpView(Word, frozen=True, kw_only=True, tag="mcp_view"):
    """All servers as of now."""

    states: tuple[McpServerState, ...] = ()
    commands: tuple[CommandInfo, ...] = ()


class SuggestMcp(Word, frozen=True, kw_only=True, tag="mcp_suggest"):
    """What may be typed next of what servers offer. Reply: list of McpSuggestion."""

    session: str
    query: str


class McpDo(Word, frozen=True, kw_only=True, tag="mcp_do"):
    """Start a server anew, let it run or not, switch it on or off; owner only. Reply: null."""

    session: str
    name: str
    action: Literal["reconnect", "log_out", "approve", "deny", "on", "off"]


class ProbeModel(Word, frozen=True, kw_only=True, tag="probe"):
    """Try out whether the model in use calls tools. Reply: ModelProbe."""


class ListExtensions(Word, frozen=True, kw_only=True, tag="extensions"):
    """What files and plugins bring. Reply: list of ExtensionRow."""


class ReloadExtensions(Word, frozen=True, kw_only=True, tag="reload_extensions"):
    """Find plugins, skills and agents anew, for all open sessions. Reply: list of ExtensionRow."""
