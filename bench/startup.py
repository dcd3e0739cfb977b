"""What starting costs: imports, first paint, and the first typed key on the screen, beside a minimal Textual app.

    python -m bench.startup [--rounds 7] [--json]

Each start is a process of its own on a pseudo-terminal of 120×40 that answers the terminal's questions; the two
programs take turns, and medians are compared.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.figures import Figure, tell
from bench.terminal import terminal

ROOT = Path(__file__).parents[1]

OURS = ["--local", "--local-url", "http://127.0.0.1:9/v1", "--local-model", "none"]


def start(module: str, arguments: list[str], home: Path) -> tuple[float, float]:
    """Seconds from exec to the first visible character, and to the first typed key on the screen."""
    with terminal(module, arguments, home) as program:
        return program.start()


def import_seconds(code: str, home: Path) -> float:
    """Seconds of processor time that a fresh interpreter takes for this."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(rounds: int) -> list[Figure]:
    """Medians of both programs, started in turns."""
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        (home / "work").mkdir()
        for number in range(rounds + 1):
            taken = {
                "import": import_seconds("import rein_tui.app", home),
                "import-plain": import_seconds("import bench.plain_app", home),
            }
            taken["paint"], taken["ready"] = start("rein_tui", OURS, home)
            taken["paint-plain"], taken["ready-plain"] = start("bench.plain_app", [], home)
            if number:  # the first round only warms caches
                for key, seconds in taken.items():
                    times.setdefault(key, []).append(seconds * 1000)
    middle = {key: statistics.median(values) for key, values in times.items()}
    names = {"import": "import of the app (cpu)", "paint": "first paint", "ready": "first key on the screen"}
    return [Figure(text, middle[key], "ms", middle[f"{key}-plain"], 1.2) for key, text in names.items()]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    tell(measure(options.rounds), options.json)


if __name__ == "__main__":
    main()
