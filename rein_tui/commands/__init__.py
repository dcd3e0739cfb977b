"""Slash commands and palette entries: one registry, one file a family."""

from . import help as help_commands
from . import look, model, panes, permissions, prompt, rewind, session
from .registry import Command


def builtin_commands() -> tuple[Command, ...]:
    """The commands that are always there. A new family adds its file here."""
    families = (help_commands, session, rewind, model, permissions, panes, prompt, look)
    return tuple(command for family in families for command in family.COMMANDS)
