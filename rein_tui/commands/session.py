"""Commands about the session: new, resume, rename, fork, export, copy, exit."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from rein_tui.harness.protocol.errors import StartError, StoreError
from rein_tui.harness.protocol.events import MessageFinished, Notice
from rein_tui.harness.protocol.ports import Adjustable, Adjustments, SessionInfo, Shared
from rein_tui.harness.protocol.workbench import ExportForm
from rein_tui.widgets.figures import short_age, short_cost

from .registry import Command

_FORMS: dict[str, ExportForm] = {".html": "html", ".htm": "html", ".jsonl": "jsonl"}
"""What a file's name asks for; anything else is text."""

if TYPE_CHECKING:
    from rein_tui.app import ReinApp


async def _clear(app: "ReinApp", _: str) -> None:
    await app.desk.clear()


async def _resume(app: "ReinApp", argument: str) -> None:
    if argument:
        await app.desk.open(_id_of(app, argument))
        return
    from rein_tui.widgets.picker import Item, Picker

    now = time.time()
    items = [
        Item(
            info.id,
            info.title or "new session",
            " · ".join(filter(None, (info.branch, f"{info.turns} turn{'' if info.turns == 1 else 's'}", info.state))),
            (f"{short_cost(info.cost_usd)}  " if info.cost_usd is not None else "") + short_age(now - info.updated),
        )
        for info in app.desk.all_sessions()
    ]
    chosen = await app.ask(Picker("Resume a session", items))
    if chosen:
        await app.desk.open(chosen)


def _id_of(app: "ReinApp", name: str) -> str:
    """The session with this id, this beginning of an id, or this title; the name itself where that is none or many."""
    infos = app.workbench.sessions(everywhere=True)
    tests: tuple[Callable[[SessionInfo], bool], ...] = (
        lambda info: info.id == name,
        lambda info: len(name) >= 4 and info.id.startswith(name),
        lambda info: info.title.casefold() == name.casefold(),
    )
    for test in tests:
        found = [info.id for info in infos if test(info)]
        if found:
            return found[0] if len(found) == 1 else name
    return name


async def _rename(app: "ReinApp", argument: str) -> None:
    turns = app.desk.current
    if turns is None:
        return
    if not argument:
        app.main.composer.text = f"/rename {turns.harness.info.title}"
        return
    app.workbench.rename(turns.harness.info.id, argument)
    app.desk.refresh()
    app.hint("renamed")


async def _fork(app: "ReinApp", argument: str) -> None:
    turns = app.desk.current
    if turns is None:
        return
    last = turns.harness.info.turns
    turn = int(argument) if argument.isdecimal() else last
    await app.desk.fork(turns.harness.info.id, min(turn, last))


async def fork_from(app: "ReinApp", session_id: str) -> None:
    """Bring a fork of a session onto the screen: of all of it, or up to a turn that the person picks."""
    from rein_tui.widgets.picker import Item, Picker

    from .rewind import prompts_of

    prompts = prompts_of(app.workbench.facts(session_id))
    last, chosen = prompts[-1][0] if prompts else 0, ""
    if len(prompts) > 1:
        items = [Item(str(turn), " ".join(text.split()), "all of it" if turn == last else "") for turn, text in prompts]
        chosen = await app.ask(Picker("Fork after …", items[::-1]))
        if chosen is None:
            return
    await app.desk.fork(session_id, int(chosen or last))
    app.main.composer.area.focus()


async def _export(app: "ReinApp", argument: str) -> None:
    turns = app.desk.current
    if turns is not None:
        session_id = turns.harness.info.id
        await export_session(app, session_id, argument or f"rein-{session_id[:8]}.md")


async def export_session(app: "ReinApp", session_id: str, name: str) -> None:
    """Write a session to a file, in the form that its name asks for. Raises StoreError."""
    import asyncio

    document = app.workbench.export(session_id, _FORMS.get(Path(name).suffix.lower(), "markdown"))
    path = await asyncio.to_thread(_write, name, document)
    await app.tell(Notice(text=f"exported to {path}"))


def _write(name: str, document: bytes) -> Path:
    path = Path(name).expanduser().absolute()
    try:
        path.write_bytes(document)
    except OSError as error:
        raise StoreError(f"cannot export: {error.strerror}", where=str(path), hint="/export FILE") from error
    return path


async def _copy(app: "ReinApp", argument: str) -> None:
    answers = [
        fact.message.text
        for fact in app.desk.history()
        if isinstance(fact, MessageFinished) and not fact.parent and fact.message.text.strip()
    ]
    back = int(argument) if argument.isdecimal() and int(argument) > 0 else 1
    if back > len(answers):
        app.hint("nothing to copy")
        return
    app.copy(answers[-back])


def adjustments_of(app: "ReinApp") -> Adjustments | None:
    """What can be changed about the session that is shown; None, with a hint, for one that runs elsewhere."""
    harness = app.desk.current.harness if app.desk.current is not None else None
    found = harness.adjustments if isinstance(harness, Adjustable) else None
    if found is None:
        app.hint("this is done where the session runs")
    return found


async def _cd(app: "ReinApp", argument: str) -> None:
    adjustments = adjustments_of(app)
    if adjustments is not None and not argument:
        app.main.composer.text = "/cd "
    elif adjustments is not None:
        app.hint(f"commands begin in {await adjustments.change_folder(Path(argument))}")


async def _add_folder(app: "ReinApp", argument: str) -> None:
    adjustments = adjustments_of(app)
    if adjustments is None:
        return
    if not argument:
        app.main.composer.text = "/add-dir "
    else:
        await adjustments.add_folder(Path(argument))


async def _attach(app: "ReinApp", _: str) -> None:
    from importlib.util import find_spec

    if app.attach_name is None:
        app.hint("only the terminal where a session runs can let others join")
    elif app.attach_name:
        await app.tell(Notice(text=f"Join from another terminal of yours: rein-tui attach {app.attach_name}"))
    elif find_spec("websockets") is None:
        raise StartError("This needs the optional extra 'server'.", hint="pip install 'rein-tui[server]'")
    elif app.desk.is_busy:
        raise StartError("A turn is running.", hint="Wait for its end, or stop it (Esc); then /attach.")
    else:
        app.wants_attach = True
        app.leave()


async def _claim(app: "ReinApp", _: str) -> None:
    harness = app.desk.current.harness if app.desk.current is not None else None
    if isinstance(harness, Shared):
        await harness.claim()
    else:
        app.hint("this session is yours alone")


async def _exit(app: "ReinApp", _: str) -> None:
    app.leave()


COMMANDS = (
    Command("clear", "Begin a new session; this one stays in the list", _clear, aliases=("new", "reset")),
    Command("resume", "Go on with an old session", _resume, argument="[id]", aliases=("continue",)),
    Command("rename", "Give this session a title", _rename, argument="<title>"),
    Command("fork", "Branch this session off, from its end or a turn", _fork, argument="[turn]", aliases=("branch",)),
    Command("export", "Write the conversation to a file: .md, .html or .jsonl", _export, argument="[file]"),
    Command("copy", "Copy the last answer, or the Nth last", _copy, argument="[N]"),
    Command("cd", "Let commands begin in another folder of this session", _cd, argument="<folder>"),
    Command("add-dir", "Let this session work in a further folder", _add_folder, argument="<folder>"),
    Command("attach", "Let another terminal of yours join this one", _attach),
    Command("claim", "Take over a session that you watch", _claim),
    Command("exit", "Leave; the command that resumes is printed", _exit, aliases=("quit",)),
)
