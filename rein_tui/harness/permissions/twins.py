"""Files of a worktree below the project are the project's files once more: what is forbidden there, is here. Pure."""

import re

from msgspec import structs

from rein_tui.harness.protocol.decisions import Decision, PermissionQuery

_RANKS = {"deny": 0, "ask": 1, "allow": 2}


def twin_of(text: str, root: str) -> str:
    """The text with each worktree below `root` that it names replaced by `root` itself."""
    marker = f"{root.rstrip('/')}/.claude/worktrees/"
    if marker not in text:
        return text
    return re.sub(re.escape(marker) + r"[^/\s'\"]+", lambda _: root, text)


def in_project(query: PermissionQuery, root: str) -> PermissionQuery | None:
    """The same call on the project's own files; None where no worktree is concerned."""
    cwd = twin_of(query.cwd, root)
    values = {key: twin_of(value, root) if isinstance(value, str) else value for key, value in query.input.items()}
    if cwd == query.cwd and values == query.input:
        return None
    return structs.replace(query, cwd=cwd, input=values, checkout="")


def stricter(one: Decision, other: Decision) -> Decision:
    """That of two decisions which lets less through; the first where they agree."""
    return other if _RANKS[other.outcome] < _RANKS[one.outcome] else one
