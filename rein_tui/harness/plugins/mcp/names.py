"""Names of servers, tools and prompts as models, rules and people write them."""

import re
import shlex

RESERVED = frozenset({"workspace", "claude-in-chrome", "computer-use", "Claude Preview", "Claude Browser"})
LONGEST = 128
"""Characters of a tool's name; longer ones are refused by model servers."""


def safe(name: str) -> str:
    """A name with everything but letters, digits, `_` and `-` replaced by `_`."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", name)


def safe_server(name: str) -> str:
    """A server's name within names of tools: no `__` in it and no `_` at its ends, which would end it too early.

    Otherwise a server called `git__x` would have the tools that the rule `mcp__git` allows.
    """
    return re.sub(r"_{2,}", "_", safe(name)).strip("_") or "server"


def tool_name(server: str, tool: str) -> str:
    """`mcp__server__tool`, at most LONGEST characters."""
    return f"mcp__{safe_server(server)}__{safe(tool)}"[:LONGEST]


def prompt_name(server: str, prompt: str) -> str:
    """`mcp__server__prompt`, as it is typed behind the slash."""
    return f"mcp__{safe_server(server)}__{safe(prompt)}"


def split_arguments(words: str, count: int) -> list[str]:
    """Words as `count` arguments, quotes kept together; the last argument takes all that is left."""
    if count <= 1:
        return [words] if words else []
    try:
        parts = shlex.split(words)
    except ValueError:
        parts = words.split()
    return parts if len(parts) <= count else [*parts[: count - 1], " ".join(parts[count - 1 :])]
