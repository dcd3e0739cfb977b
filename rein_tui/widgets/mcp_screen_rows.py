"""A server as a row and as a page. All words of servers pass the safe boundary."""

from textual.content import Content

from rein_tui.harness.protocol.mcp import McpServerState, McpToolState

from .safe import safe_text

_MARKS = {
    "connected": ("●", "$text-success"),
    "starting": ("◌", "$text-warning"),
    "waiting": ("◌", "$text-warning"),
    "failed": ("✗", "$text-error"),
    "needs_login": ("?", "$text-warning"),
    "unapproved": ("?", "$text-warning"),
    "denied": ("–", "$text-disabled"),
    "disabled": ("–", "$text-disabled"),
    "blocked": ("✗", "$text-disabled"),
}
_WORDS = {"needs_login": "wants a login", "unapproved": "waits for your yes", "waiting": "tries again"}
_LONGEST = 160


def server_row(state: McpServerState, width: int) -> Content:
    """One line: how it is, what it is called, what it brings."""
    mark, style = _MARKS[state.state]
    counts = [
        f"{len(found)} {word}{'' if len(found) == 1 else 's'}"
        for found, word in ((state.tools, "tool"), (state.resources, "resource"), (state.prompts, "prompt"))
        if found
    ]
    brought = ", ".join([*counts, *([f"{state.tokens:,} tokens"] if state.tokens else [])])
    return Content.assemble(
        (f"{mark} ", style),
        (safe_text(state.name, "label").ljust(width), "$text"),
        (f"  {_WORDS.get(state.state, state.state)}", style),
        (f"  {brought or safe_text(state.error, 'label')}", "$text-muted"),
        (f"  {safe_text(f'agent {state.agent}', 'label') if state.agent else state.scope}", "$text-disabled"),
    )


def server_page(state: McpServerState) -> Content:
    """All that is known about a server, but its log."""
    lines = [_row("from", f"{state.source}" if state.source is not None else state.scope)]
    lines.append(_row("runs" if state.transport == "stdio" else state.transport, state.summary))
    if state.agent:
        lines.append(_row("for", f"the agent {state.agent} alone, while it works"))
    if state.error:
        lines.append(Content.styled(safe_text(state.error, "label"), "$text-error"))
    if state.hint:
        lines.append(Content.styled(safe_text(state.hint, "label"), "$text-muted"))
    if state.state == "starting" and state.log:
        lines.append(Content.styled(safe_text(state.log.rpartition("\n")[2], "label"), "$text-warning"))
    if state.version:
        lines.append(_row("is", f"{state.version}, protocol {state.protocol}"))
    if state.garbage or state.dropped:
        lines.append(_row("noise", f"{state.garbage:,} lines that are no messages, {state.dropped:,} dropped"))
    if state.tools:
        lines += [Content(""), Content.styled("Tools", "bold $text-muted"), *map(_tool, state.tools)]
    for title, found in (("Resources", state.resources), ("Prompts", state.prompts)):
        if found:
            lines += [Content(""), Content.styled(title, "bold $text-muted")]
            lines += [Content(safe_text(name, "label")) for name in found[:_LONGEST]]
    return Content("\n").join(lines)


def log_page(state: McpServerState) -> Content:
    """What the server printed."""
    return Content(safe_text(state.log, "prompt") if state.log else "It has printed nothing.")


def _row(term: str, words: str) -> Content:
    return Content.assemble((f"{term:<7}", "$text-muted"), safe_text(words, "label"))


def _tool(tool: McpToolState) -> Content:
    first = tool.description.strip().partition("\n")[0][:_LONGEST]
    marks = " changed: asks again" if tool.changed else ""
    return Content.assemble(
        (safe_text(tool.name, "label"), "$text-primary"),
        (" reads only" if tool.read_only else "", "$text-success"),
        (marks, "$text-warning"),
        (f"  {safe_text(first, 'label')}", "$text-muted"),
        (f"  {tool.tokens:,}", "$text-disabled"),
    )
