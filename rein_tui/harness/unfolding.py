"""A typed `/name …` as the session sees it, whoever knows what the name means."""

from dataclasses import dataclass

from .protocol.events import PromptAdded


@dataclass(frozen=True, slots=True)
class Unfolded:
    """What a command line became: the messages that go to the model, or why nothing goes."""

    messages: tuple[PromptAdded, ...] = ()
    refused: str = ""
