"""The composer: where a person writes. Nothing here ever makes a key wait."""

from .composer import Composer
from .files import FileIndex
from .history import History
from .sources import Candidate, Completer

__all__ = ["Candidate", "Completer", "Composer", "FileIndex", "History"]
