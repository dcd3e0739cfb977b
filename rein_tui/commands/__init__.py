"""Slash commands and palette entries: one registry, one file a family."""

from . import (
    aside,
    asking,
    config,
    doctor,
    keys,
    look,
    mcp,
    memory,
    model,
    panes,
    permissions,
    plugin,
    probe,
    prompt,
    replay,
    rewind,
    session,
    statusline,
    story,
    tasks,
    thinking,
)
from . import help as help_commands
from .registry import Command


def builtin_commands() -> tuple[Command, ...]:
    """The commands that are always there. A new family adds its file here."""
    families = (
        help_commands,
        keys,
        doctor,
        session,
        replay,
        rewind,
        model,
        probe,
        thinking,
        permissions,
        mcp,
        panes,
        prompt,
        aside,
        asking,
        look,
        config,
        statusline,
        plugin,
        story,
        memory,
        tasks,
    )
    return tuple(command for family in families for command in family.COMMANDS)
