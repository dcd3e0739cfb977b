"""What the permission layer knows about tools by name: aliases, which are about files, which pass without asking."""

from typing import Literal, TypeAlias

from rein_tui.harness.protocol.base import JsonObject

Access: TypeAlias = Literal["read", "write"]

ALIASES: dict[str, str] = {
    "Task": "Agent",
    "LS": "Glob",
    "NotebookRead": "Read",
    "TodoRead": "TodoWrite",
    "BashOutput": "TaskOutput",
    "KillShell": "TaskStop",
    "KillBash": "TaskStop",
    "SlashCommand": "Skill",
    "ListMcpResources": "ListMcpResourcesTool",
    "ReadMcpResource": "ReadMcpResourceTool",
}
"""Older names, and the tools that they mean now."""

READERS: dict[str, str] = {"Read": "file_path", "Grep": "path", "Glob": "path", "LSP": "file_path"}
"""Tools that read files, and the input field with the path (Grep, Glob: absent means the working directory)."""

WRITERS: dict[str, str] = {
    "Edit": "file_path",
    "Write": "file_path",
    "MultiEdit": "file_path",
    "NotebookEdit": "notebook_path",
}
"""Tools that change files, and the input field with the path."""

SEARCHERS = frozenset({"Grep", "Glob"})

QUIET = frozenset(
    {"TodoWrite", "TaskCreate", "TaskUpdate", "TaskGet", "TaskList", "TaskOutput", "TaskStop", "Agent", "ToolSearch"}
    | {"EnterPlanMode", "ListMcpResourcesTool", "AskUserQuestion"}
)
"""Tools that touch nothing outside the session: no rule is needed. (Agent: its own calls are checked.)"""

OUTWARD = frozenset({"WebFetch", "WebSearch", "ReadMcpResourceTool"})
"""Tools that reach the network or a server: they ask although they change nothing here."""

KNOWN = frozenset(
    {*READERS, *WRITERS, *QUIET, *OUTWARD, *ALIASES}
    | {"Bash", "Skill", "ExitPlanMode", "Monitor", "EnterWorktree", "ExitWorktree", "SendMessage", "PowerShell"}
    | {"Workflow", "Cd", "CronCreate", "CronDelete", "CronList"}
)

BASH_FIELDS = frozenset({"timeout", "description", "run_in_background", "dangerouslyDisableSandbox"})

PRIMARY_FIELDS = frozenset({"command", "file_path", "path", "notebook_path", "url"})
"""Fields that have a grammar of their own, so that no `Tool(field:value)` rule may name them."""


def canonical(name: str) -> str:
    """Today's name of a tool."""
    return ALIASES.get(name, name)


def file_access(tool: str) -> Access | None:
    """Whether a tool reads or writes the file that its input names; None when it is not about a file."""
    if tool in WRITERS:
        return "write"
    return "read" if tool in READERS else None


def file_path(tool: str, tool_input: JsonObject, cwd: str) -> str | None:
    """The path that a file tool is about, as given; None when the input names none or not as text."""
    field = WRITERS.get(tool) or READERS.get(tool) or ""
    value = tool_input.get(field)
    if value is None and tool in SEARCHERS:
        return cwd
    if tool in SEARCHERS and value == "":
        return cwd
    return value if isinstance(value, str) else None


def mcp_server(name: str) -> str:
    """The server part of an MCP tool's name (`mcp__gh__list` → `gh`), or empty."""
    parts = name.split("__", 2)
    return parts[1] if len(parts) >= 2 and parts[0] == "mcp" else ""
