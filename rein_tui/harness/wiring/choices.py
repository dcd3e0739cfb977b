"""The model that a person chose, kept for the next start; a key that they typed, in a file that only they can read."""

from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from ..places import Places
from ..protocol.errors import ConfigError
from ..protocol.workbench import ModelChoice

if TYPE_CHECKING:
    from ..providers.base import Secret

_CHOICE, _KEY = "model.json", "key"


def remember(places: Places, choice: ModelChoice, typed_key: str = "") -> None:
    """Keep the choice, and the key if one was typed. A disk that does not take it is no reason to stop."""
    if choice.kind == "demo":
        return
    from ..store.files import private_folder, write_private

    with suppress(OSError):
        private_folder(places.data)
        write_private(places.data / _CHOICE, msgspec.json.encode(choice))
        if typed_key:
            write_private(places.data / _KEY, typed_key.encode())


def remembered_choice(places: Places) -> ModelChoice | None:
    """The choice of an earlier start, if there is one."""
    with suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode((places.data / _CHOICE).read_bytes(), type=ModelChoice)
    return None


def remembered(places: Places) -> "tuple[ModelChoice | None, Secret]":
    """The choice and key of an earlier start, as far as there are any."""
    from ..providers.base import NO_SECRET, Secret

    choice, key = remembered_choice(places), NO_SECRET
    with suppress(OSError, UnicodeDecodeError):
        key = Secret((places.data / _KEY).read_text(encoding="utf-8"), source=str(places.data / _KEY))
    return choice, key


def forget_key(places: Places) -> bool:
    """Delete the key that was typed; whether there was one. Raises ConfigError when it cannot be deleted."""
    path = places.data / _KEY
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ConfigError(f"The key cannot be deleted: {error.strerror or error}", where=str(path)) from error
    return True
