"""What a hundred plugins cost at the start of a session: 200 agents, 180 skills, 90 commands.

    python -m bench.plugins [--rounds 7] [--json]

Each start is a process of its own that opens a session over the scripted model, answers one prompt and ends; with
and without plugins take turns, and medians are compared. Bodies are read when they are used, so only heads count.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.figures import Figure, tell

ROOT = Path(__file__).parents[1]
PLUGINS, AGENTS, SKILLS, COMMANDS = 100, 200, 180, 90
ALLOWED = 1.3
BODY = "A sentence of instructions that nobody needs before it is used.\n" * 120

_START = """
import asyncio, sys
from pathlib import Path
from rein_tui.harness.wiring.wishes import Wishes
from rein_tui.harness.wiring.build import open_workbench
from rein_tui.harness.places import find_places
from rein_tui.harness.protocol.ports import Prompt
from rein_tui.harness.protocol.workbench import ModelChoice
from rein_tui.cli.headless import NobodyAnswers

async def main():
    wishes = Wishes(root=Path.cwd(), interactive=False, persist=False)
    choice = ModelChoice(kind="demo", model="scripted", path=sys.argv[1])
    bench = open_workbench(find_places(), {}, wishes, NobodyAnswers(), choice)
    session = await bench.open()
    async for _ in session.run(Prompt(text="hello")):
        pass
    await bench.close()

asyncio.run(main())
"""


def make_home(folder: Path, plugins: int) -> Path:
    """A home with that many plugins installed and on."""
    home = folder / f"home-{plugins}"
    (home / "work").mkdir(parents=True)
    (home / "script.json").write_text(json.dumps({"steps": [{"text": "hello"}], "model": "scripted"}))
    cache = home / ".claude/plugins/cache/market"
    installed = {}
    for number in range(plugins):
        root = cache / f"plugin-{number}" / "1.0.0"
        _write(root / ".claude-plugin/plugin.json", json.dumps({"name": f"plugin-{number}", "version": "1.0.0"}))
        for kind, many, place in (("agent", AGENTS, "agents/{}.md"), ("skill", SKILLS, "skills/{}/SKILL.md")):
            for each in range(number, many, plugins):
                _write(root / place.format(f"{kind}-{each}"), _head(f"{kind}-{each}"))
        for each in range(number, COMMANDS, plugins):
            _write(root / f"commands/command-{each}.md", _head(f"command-{each}"))
        installed[f"plugin-{number}@market"] = [{"scope": "user", "installPath": str(root), "version": "1.0.0"}]
    _write(home / ".claude/plugins/installed_plugins.json", json.dumps({"version": 2, "plugins": installed}))
    return home


def _head(name: str) -> str:
    return f"---\nname: {name}\ndescription: Does the work of {name}. Use it when such work is asked for.\n---\n{BODY}"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def start(home: Path) -> float:
    """Seconds of processor time from exec to exit; files come from the page cache, so that is what it costs."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-c", _START, str(home / "script.json")],
        cwd=home / "work",
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    """Measure and tell; 1 when it costs more than it may."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-plugins-") as folder:
        homes = [make_home(Path(folder), count) for count in (0, PLUGINS)]
        for home in homes:
            start(home)  # bytecode and page cache
        times = [[start(home) for home in homes] for _ in range(args.rounds)]
    without, with_them = (statistics.median(column) for column in zip(*times, strict=True))
    figure = Figure(f"start with {PLUGINS} plugins beside none, cpu", with_them, "s", without, ALLOWED)
    tell([figure], as_json=args.json)
    return 0 if figure.is_met else 1


if __name__ == "__main__":
    raise SystemExit(main())
