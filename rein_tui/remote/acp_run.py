"""`rein-tui acp`: the agent on stdin and stdout, as editors start it."""

from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rein_tui import __version__
from rein_tui.cli.options import Options, build_parser, refuse_screen_flags
from rein_tui.harness.places import Places
from rein_tui.harness.protocol.ports import Prompter

if TYPE_CHECKING:
    from .acp_agent import Bench

_LARGEST_MESSAGE = 50 * 1024 * 1024


async def run_acp(arguments: Sequence[str], places: Places) -> int:
    """Speak the Agent Client Protocol until stdin ends."""
    import sys

    import acp

    from .acp_agent import ReinAgent

    parser = build_parser()
    parser.prog, parser.description = "rein-tui acp", "The harness for editors: Agent Client Protocol on stdin/stdout."
    options = parser.parse_args(arguments, namespace=Options())
    if options.prompt is not None or options.print:
        parser.error("the editor sends the prompts")
    refuse_screen_flags(parser, options)

    def open_bench(cwd: Path, additional: tuple[Path, ...], mcp: tuple[str, ...], prompter: Prompter) -> "Bench":
        import os

        from rein_tui.cli.wanted import choice_of, wishes_of
        from rein_tui.harness.wiring.build import open_workbench

        environment = dict(os.environ)
        wishes = wishes_of(options, interactive=True)
        wishes = replace(
            wishes,
            root=cwd.resolve(),
            additional=(*wishes.additional, *additional),
            mcp_config=(*wishes.mcp_config, *mcp),
        )
        return open_workbench(places, environment, wishes, prompter, choice_of(options, environment, places))

    agent = ReinAgent(open_bench, __version__)
    reader, writer = await acp.stdio_streams(limit=_LARGEST_MESSAGE)
    try:
        with redirect_stdout(sys.stderr):  # stdout belongs to the protocol
            await acp.run_agent(cast(Any, agent), writer, reader)
    finally:
        await agent.close()
    return 0
