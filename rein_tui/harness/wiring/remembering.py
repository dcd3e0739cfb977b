"""Memory files that a person chooses to read besides. Implements workbench.MemoryDesk."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..protocol.messages import TextBlock
from ..protocol.workbench import MemoryOffer
from ..session import Session
from ..turn.prompt_turn import user_message
from .instructions import Instructions


@dataclass(frozen=True, slots=True)
class Remembering:
    """The offers of one session's memory files; what is accepted joins its conversation."""

    instructions: Instructions
    session: Session

    def offers(self) -> Sequence[MemoryOffer]:
        """What could be read besides."""
        return self.instructions.offers()

    def accept(self, offer: MemoryOffer) -> None:
        """Read it from now on in this project, in this session at once. Raises ConfigError."""
        for source, text in self.session.conversation().lacks(self.instructions.accept(offer)):
            self.session.tell_aside(user_message((TextBlock(text=text),), "memory", source))
