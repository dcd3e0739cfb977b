"""/memory: the standing instructions that the model was given, what could be taken in, and writing them."""

from pathlib import Path
from typing import TYPE_CHECKING

from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.protocol.workbench import HasMemory, MemoryOffer

from .registry import Command
from .story import memory_rows, show_rows

if TYPE_CHECKING:
    from rein_tui.app import ReinApp

_NEXT = "the model is told with your next prompt"


async def _memory(app: "ReinApp", _: str) -> None:
    rows, turns = memory_rows(app.desk.history()), app.desk.current
    if app.elsewhere or turns is None or turns.harness.info.read_only:
        await show_rows(app, "Memory files", rows, "no CLAUDE.md was found · /init writes one")
        return
    from rein_tui.widgets.picker import Item, Picker

    desk = turns.harness.memory_desk if isinstance(turns.harness, HasMemory) else None
    offers = {f"offer:{offer.path}": offer for offer in desk.offers()} if desk is not None else {}
    items = [Item(key, f"take in {offer.path}", _why(offer)) for key, offer in offers.items()]
    items += [Item(path, name, note) for path, name, note in _files(rows, Path(turns.harness.info.cwd))]
    chosen = await app.ask(Picker("Memory files · enter opens one in your editor", items))
    if chosen in offers and desk is not None:
        desk.accept(offers[chosen])
        app.hint(_NEXT)
    elif chosen and await _edited(app, Path(chosen)):
        app.hint(_NEXT)


def _why(offer: MemoryOffer) -> str:
    return f"asked for by {offer.wanted_by}" if offer.wanted_by else "there is no CLAUDE.md"


def _files(rows: list[tuple[str, str]], folder: Path) -> list[tuple[str, str, str]]:
    """Path, name and a note of the files that the model was given, then of those where more could be written."""
    from rein_tui.harness.places import find_places
    from rein_tui.widgets.nearby import nearby

    told = {path: size for size, path in rows if Path(path).is_absolute()}
    others = (folder / "CLAUDE.md", folder / "CLAUDE.local.md", find_places().config / "CLAUDE.md")
    fresh = {str(path): "not told yet" if path.is_file() else "not there yet" for path in others}
    return [(path, nearby(path, str(folder)), note) for path, note in (told | (fresh | told)).items()]


async def _edited(app: "ReinApp", path: Path) -> bool:
    """Open a file in the person's editor; whether it is another one now. Raises ConfigError."""
    from .prompt import lend_to_editor

    before = _text(path)
    text = await lend_to_editor(app, before or "", path.name, f"write {path} elsewhere")
    text = f"{text}\n" if text else ""
    if text == (before or ""):
        return False
    if _text(path) != before:
        raise ConfigError("the file changed while you wrote; it was left as it is", where=str(path))
    _write(path, text)
    return True


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise ConfigError(f"cannot be written: {problem.strerror or problem}", where=str(path)) from problem


def _text(path: Path) -> str | None:
    """What it says; None where it is not there. Raises ConfigError."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError(f"cannot be read: {problem}", where=str(path)) from problem


COMMANDS = (Command("memory", "The memory files that the model was given; write one", _memory, family="help"),)
