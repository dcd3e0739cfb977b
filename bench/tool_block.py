"""What 200 tools of MCP servers add to the first request, beside the budget that the Context pane shows.

    python -m bench.tool_block [--json]

A real session with a real server process; the model is scripted. Tokens are estimated as the pane does.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path

from bench.figures import Figure, tell
from rein_tui.cli.headless import NobodyAnswers
from rein_tui.harness.context.tokens import CHARACTERS_A_TOKEN, size_of_tool
from rein_tui.harness.places import find_places
from rein_tui.harness.protocol.events import ContextPrepared
from rein_tui.harness.protocol.ports import Prompt
from rein_tui.harness.protocol.workbench import ModelChoice
from rein_tui.harness.wiring.build import open_workbench
from rein_tui.harness.wiring.wishes import Wishes

TOOLS = 200
SERVER = str(Path(__file__).with_name("many_tools.py"))


async def first_request(folder: Path) -> ContextPrepared:
    """The tools that go with the first request of a session with that many tools."""
    script, work = folder / "script.json", folder / "work"
    script.write_text(json.dumps({"steps": [{"text": "hello"}], "model": "scripted"}))
    work.mkdir()
    servers = {"mcpServers": {"many": {"command": sys.executable, "args": ["-S", SERVER, str(TOOLS)]}}}
    wishes = Wishes(root=work, interactive=False, persist=False, mcp_config=(json.dumps(servers),))
    choice = ModelChoice(kind="demo", model="scripted", path=str(script))
    bench = open_workbench(find_places({"HOME": str(folder)}), {}, wishes, NobodyAnswers(), choice)
    session = await bench.open()
    facts = [event async for event in session.run(Prompt(text="hello")) if isinstance(event, ContextPrepared)]
    await bench.close()
    return facts[-1]


def main() -> int:
    """Measure and tell; 1 when it costs more than it may."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-tools-") as folder:
        told = asyncio.run(first_request(Path(folder)))
    sent = sum(size_of_tool(tool) for tool in told.tools if tool.source != "builtin") / CHARACTERS_A_TOKEN
    if told.held_back < TOOLS:
        raise SystemExit(f"only {told.held_back} of {TOOLS} tools wait: the server did not start, or all went along")
    figure = Figure(f"{TOOLS} tools of servers in the first request", sent, "tok", told.tool_budget)
    tell([figure], as_json=args.json)
    return 0 if figure.is_met else 1


if __name__ == "__main__":
    raise SystemExit(main())
