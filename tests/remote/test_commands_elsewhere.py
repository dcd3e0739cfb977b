"""Every command of the registry on a screen whose harness is elsewhere: it works there, or says why not."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from textual.worker import Worker

from rein_tui.commands import builtin_commands
from rein_tui.harness.protocol.events import TurnFinished
from rein_tui.harness.protocol.ports import Prompt
from rein_tui.harness.protocol.workbench import ModelChoice
from rein_tui.harness.providers.scripted import ScriptedCall, ScriptedProvider, Step
from rein_tui.modal_prompter import ModalPrompter
from rein_tui.remote.client import RemoteWorkbench
from rein_tui.remote.link import SocketLink
from tests.app.driving import screen_text
from tests.remote.stage import MemoryBench, RecordedAdjustments, Served, served, until
from tests.remote.test_screens import Screen, screen

NEEDS_MORE = {
    "editor": "lends the terminal, which a test has none of",
    "replay": "lends the terminal, which a test has none of",
    "steer": "says nothing without words",
    "paste": "has a clipboard of its own",
    "exit": "ends the screen",
    "inspector": "waits for the server, which here runs on the same loop",
}


def remote_of(server: Served, *, watch: bool = False) -> tuple[RemoteWorkbench, ModalPrompter]:
    prompter = ModalPrompter(typing_pause=0, grace=0)
    remote = RemoteWorkbench(SocketLink(server.address(), f"screen {watch}"), prompter, watch=watch)
    server.clients.append(remote)
    return remote, prompter


def looks(stage: Screen) -> tuple[object, ...]:
    app = stage.app
    return (len(app.screen_stack), app.main.composer.text, len(stage.facts()), screen_text(app))


def say(stage: Screen, text: str) -> None:
    """As if typed and sent, without a pilot that waits for an idle machine after each key."""
    name, _, argument = text.removeprefix("/").partition(" ")
    if text.startswith("/"):
        assert stage.app.run_command(name, argument)
    else:
        assert stage.app.desk.current is not None
        stage.app.desk.current.submit(Prompt(text=text), text)


def _is_working(workers: "set[Worker[Any]]") -> bool:
    return any(not worker.is_finished for worker in workers)


@pytest.mark.slow
async def test_every_command_does_something_or_says_why_not(tmp_path: Path) -> None:
    read = ScriptedCall(name="Read", input={"text": "x"})
    steps = [Step(calls=(read,)), *(Step(text=f"Answer {n}.") for n in range(20))]
    bench = MemoryBench(lambda: ScriptedProvider(steps))
    bench.choice = ModelChoice(kind="local", model="scripted")
    async with served(bench) as server, screen(*remote_of(server)) as stage:
        app = stage.app
        say(stage, "hello")
        await until(lambda: any(isinstance(f, TurnFinished) for f in stage.facts()))
        for command in sorted(builtin_commands(), key=lambda command: command.name == "welcome"):  # it stays
            if command.name in NEEDS_MORE or command.family in ("look", "help"):  # those are the screen's own
                continue
            await until(lambda: not app.desk.is_busy)
            app.hint("")
            before, others = looks(stage), set(app.workers)
            say(stage, f"/{command.name} {tmp_path / 'out.md'}" if command.name == "export" else f"/{command.name}")
            try:
                await until(lambda before=before: looks(stage) != before)
            except TimeoutError:
                pytest.fail(f"/{command.name} did nothing and said nothing")
            with suppress(TimeoutError):  # what it brings may be late; what it begins may stay, such as a session
                async with asyncio.timeout(0.5):
                    await until(lambda o=others: app.screen is not app.main or not _is_working(set(app.workers) - o))
            while app.screen is not app.main:
                await stage.pilot.pause()
                await app.pop_screen()
            app.main.composer.text = ""


async def test_folders_thinking_and_modes_are_changed_there() -> None:
    bench = MemoryBench(lambda: ScriptedProvider([Step(text="Hello.")]))
    async with served(bench) as server, screen(*remote_of(server)) as stage:
        session = next(iter(bench.sessions_open.values()))
        adjustments = session.adjustments
        assert isinstance(adjustments, RecordedAdjustments)
        say(stage, "/add-dir ../lib")
        await until(lambda: adjustments.folders == ["../lib"])
        say(stage, "/add-dir /nowhere")
        await until(lambda: "there is no such folder" in screen_text(stage.app))
        say(stage, "/effort high")
        await until(lambda: session.effort == "high")
        say(stage, "/thinking on")
        await until(lambda: session.thinking)
        say(stage, "/plan")
        await until(lambda: session.mode == "plan")
        say(stage, "/plugin install shop@market")
        await until(lambda: "managed where the session runs" in screen_text(stage.app))


async def test_a_watcher_is_told_what_was_not_done() -> None:
    bench = MemoryBench(lambda: ScriptedProvider([Step(text="Hello.")]))
    async with served(bench) as server:
        owner = await server.client()
        session = await owner.open()
        async with screen(*remote_of(server, watch=True), session.info.id) as stage:
            for text in ("/effort high", "/add-dir ../lib", "/plan", "hello"):
                before = screen_text(stage.app).count("You only watch this session")
                say(stage, text)
                await until(lambda before=before: screen_text(stage.app).count("You only watch this session") > before)
        there = bench.sessions_open[session.info.id]
        assert (there.effort, there.mode, there.info.turns) == ("", "default", 0)


async def test_mentions_complete_the_files_of_the_other_machine(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "cart_of_the_server.py").write_text("")
    bench = MemoryBench(lambda: ScriptedProvider([Step(text="Hello.")]), cwd=str(tmp_path))
    async with served(bench) as server, screen(*remote_of(server)) as stage:
        stage.app.main.composer.area.focus()
        await stage.pilot.press("at", "c", "a")
        await until(lambda: "cart_of_the_server.py" in screen_text(stage.app))
