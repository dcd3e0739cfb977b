"""Ids of prompts: they follow from the session and the turn, so that a hook, a record and a replay name the same."""

import uuid

_NAMESPACE = uuid.UUID("d2c1a3a0-4f0b-4c35-8a53-0a2b7f1c9e64")


def prompt_id(session_id: str, turn: int) -> str:
    """The id of the prompt that began a turn; empty before the first."""
    return str(uuid.uuid5(_NAMESPACE, f"{session_id}/{turn}")) if turn else ""
