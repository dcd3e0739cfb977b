"""From the command line to what runs: the screen, a headless turn, or a subcommand.

The only caller of harness.build.
"""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import TYPE_CHECKING

from ..harness.places import Places, find_places
from ..harness.processes.environment import collect_garbage, stand_apart
from ..harness.protocol.errors import ReinError, StartError
from ..harness.protocol.ports import Prompt, Prompter
from .options import Options, parse_options
from .wanted import choice_of, wishes_of

if TYPE_CHECKING:
    from ..harness.store.journal import Loss
    from ..harness.wiring.build import LocalWorkbench

BAD_USAGE = 2
_SWITCH = 0.001
"""Seconds after which a thread that imports gives way to keys and frames."""
SUBCOMMANDS = frozenset(
    "policy hooks sessions mcp models plugin trust replay doctor report server client attach web acp".split()
)


def run(arguments: Sequence[str]) -> int:
    """Run this command line; returns the exit code. Errors that a person can act on go to stderr."""
    try:
        code = _run(list(arguments))
        sys.stdout.flush()
        return code
    except ReinError as error:
        sys.stderr.write(f"rein-tui: {error}\n")
        return BAD_USAGE if isinstance(error, StartError) else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read the output has seen enough: `rein-tui sessions list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(arguments: list[str]) -> int:
    if arguments and arguments[0] in SUBCOMMANDS:
        stand_apart()
        collect_garbage()
        from .subcommands import run_subcommand

        return run_subcommand(arguments, find_places())
    if arguments and arguments[0] == "direct":
        del arguments[0]
    options = parse_options(arguments)
    places = find_places()
    if options.init_only or options.print or options.attachable:
        stand_apart()
    if options.init_only:
        return asyncio.run(_set_up(options, places))
    if options.print:
        return asyncio.run(_headless(options, places))
    in_browser = bool(os.environ.get("TEXTUAL_DRIVER"))  # set by textual-serve, which is no terminal
    if not in_browser and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise StartError("The screen needs a terminal.", hint='Without one, use: rein-tui -p "what to do"')
    said, code = ("", 0) if options.attachable else asyncio.run(_screen(options, places))
    if options.attachable:  # from the start, or since /attach
        from .server import attachable_screen

        said = asyncio.run(attachable_screen(options, places))
    if said:
        sys.stdout.write(f"\nGo on with this session:\n  {said}\n")
    return code


# --- what was wished ----------------------------------------------------------------------------------------


def _open_bench(options: Options, places: Places, prompter: Prompter, *, interactive: bool) -> "LocalWorkbench":
    from ..harness.wiring.build import open_workbench

    environment = dict(os.environ)
    wishes = wishes_of(options, interactive=interactive)
    return open_workbench(places, environment, wishes, prompter, choice_of(options, environment, places))


def session_of(bench: "LocalWorkbench", options: Options) -> str:
    """The stored session that the flags name, or its copy; empty for a new one. Raises StoreError."""
    from .resuming import named_session

    session_id = named_session(bench.store, options, interactive=bench.wishes.interactive)
    if options.fork_session:
        bench.copies.add(session_id)
    return session_id


# --- without a screen ---------------------------------------------------------------------------------------


async def _headless(options: Options, places: Places) -> int:
    from .headless import Headless, NobodyAnswers, one_prompt, piped_text, prompts_of

    bench = _open_bench(options, places, NobodyAnswers(), interactive=False)
    try:
        if bench.choice is None:
            raise StartError(
                "No model is chosen.",
                hint="Set ANTHROPIC_API_KEY, or give --local, --local-url URL, --gguf PATH or --demo.",
            )
        prompts: AsyncGenerator[Prompt]
        if options.input_format == "stream-json":
            prompts = prompts_of(sys.stdin)
        else:
            text = "\n\n".join(part for part in (options.prompt or "", piped_text(sys.stdin)) if part.strip())
            if not text:
                raise StartError("There is no prompt.", hint='Give one: rein-tui -p "…", or pipe it in.')
            prompts = one_prompt(text)
        harness = await bench.open(session_of(bench, options))
        collect_garbage()
        headless = Headless(
            options.output_format,
            partial=options.include_partial_messages,
            hooks=options.include_hook_events or options.verbose,
            extensions=bench.extensions(),
        )
        return await headless.run(harness, prompts)
    finally:
        await bench.close("other")
        _say_losses(bench.store.losses)


async def _set_up(options: Options, places: Places) -> int:
    """Run the Setup and SessionStart hooks of a new session and end it; 1 when one of them is broken."""
    from ..harness.protocol.events import HookFired
    from .headless import NobodyAnswers

    bench = _open_bench(options, places, NobodyAnswers(), interactive=False)
    code = 0
    try:
        harness = await bench.open()
        async for event in harness.start():
            if isinstance(event, HookFired):
                run = event.run
                is_broken = run.result in {"timeout", "failed", "bad_output", "killed"}
                code = 1 if is_broken else code
                said = f": {run.reason}" if run.reason else ""
                sys.stderr.write(f"rein-tui: {run.hook.point} hook {run.hook.title} · {run.result}{said}\n")
    finally:
        await bench.close("other")
    return code


# --- the screen ---------------------------------------------------------------------------------------------


async def _screen(options: Options, places: Places) -> tuple[str, int]:
    """Run the screen; returns the command that resumes the session, and the exit code."""
    from ..app import ReinApp
    from ..deferred import DeferredWorkbench
    from ..modal_prompter import ModalPrompter
    from .resuming import read_resumed
    from .signals import Ending, endings, on_signals

    sys.setswitchinterval(_SWITCH)
    resumed = read_resumed(options, places)
    prompter = ModalPrompter()
    choice = choice_of(options, dict(os.environ), places)

    def make() -> "LocalWorkbench":
        made = _open_bench(options, places, prompter, interactive=True)
        made.copies |= {resumed.id} if options.fork_session else set()
        return made

    bench = DeferredWorkbench(make, choice, before=stand_apart)
    app = ReinApp(
        bench,
        prompter=prompter,
        places=places,
        project=options.project_dir,
        open_id=resumed.id,
        first_look=resumed.ending,
        initial_prompt=options.prompt or "",
        notices=resumed.notices,
    )
    app.attach_name = ""
    ending = Ending(app.leave)
    with on_signals(endings(), ending.begin):
        try:
            said = await app.run_async() or ""
            if app.wants_attach:
                _come_back_attachable(options, said.rpartition(" ")[2])
        finally:
            await bench.close("other" if ending.number else "prompt_input_exit")
            _say_losses(bench.losses)
    loss = bench.losses.get(said.rpartition(" ")[2])
    return "" if loss is not None and loss.is_whole else said, ending.exit_code


def _say_losses(losses: "Mapping[str, Loss]") -> None:
    for session_id, loss in losses.items():
        sys.stderr.write(f"rein-tui: {session_id}: {loss}\n")


def _come_back_attachable(options: Options, session_id: str) -> None:
    """Change the flags so that the same session comes back, in a screen that others may join."""
    options.attachable = True
    options.prompt, options.session_id = None, ""
    options.continue_last = options.fork_session = False
    options.resume = session_id or None
