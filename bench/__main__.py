"""`make bench`: runs every bench, one after the other, and prints one table of ratios.

    python -m bench [NAME…] [--quick] [--json]

Each bench is a program of its own. Those that tell JSON are asked for it; of the others the lines are read.
"""

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Figure, tell

ROOT = Path(__file__).parents[1]


def _told(output: str) -> list[Figure]:
    return [Figure(**record) for record in json.loads(output)]


def _chat(output: str) -> list[Figure]:
    """Ratios to the plain transcript, case by case, and the largest session opened and paged through."""
    figures: list[Figure] = []
    title, plain, chat = "", "", ""
    aims = {"cpu": {"2,000": 1.0, "10,000": 1.2}, "wall": {"50,000": 1.4}}
    for line in output.splitlines():
        words = line.split()
        if not line.startswith(" "):
            title = line
        elif words[0] in ("plain", "chat"):
            plain, chat = (line, chat) if words[0] == "plain" else (plain, line)
        elif words[0] == "ratio":
            for key, unit in (("cpu", "s"), ("wall", "s")):
                aim = next((aim for start, aim in aims[key].items() if title.startswith(start)), None)
                if aim is not None:
                    figures.append(Figure(f"{title}, {key}", _after(chat, key), unit, _after(plain, key), aim))
        elif words[0] == "first_paint_ms":
            figures.append(Figure("opening 10,000 messages, first paint", _after(line, words[0]), "ms", 200.0))
            figures.append(Figure("paging through them, slowest frame", _after(line, "page_max_ms"), "ms", 50.0))
            figures.append(
                Figure("paging through them, slowest frame, cpu", _after(line, "page_cpu_max_ms"), "ms", 50.0)
            )
    return figures


def _store(output: str) -> list[Figure]:
    lines = output.splitlines()
    append = next(line for line in lines if line.startswith("append one fact (cpu), mean"))
    searches = [_after(line, "median") for line in lines if line.startswith("search ")]
    return [
        Figure("storing a fact, cpu", float(append.split()[-2]), "ms", 1.0),
        Figure("search over 1,000 sessions, slowest median", max(searches), "ms", 100.0),
    ]


def _hooks(output: str) -> list[Figure]:
    told = json.loads(output)
    beside = told["processes"] * 1000
    return [
        Figure("ten hooks beside ten processes", told["hooks"] * 1000, "ms", beside, 1.3),
        Figure("no hooks", told["no_hooks"] * 1e6, "µs", 100.0),
    ]


def _permissions(output: str) -> list[Figure]:
    found = re.findall(r"^(\S.*?)\s+median ([\d.]+)", output, re.MULTILINE)
    return [
        Figure(f"decision, 500 rules: {name}", float(value), "ms", 3.0 if "Bash" in name else 1.0)
        for name, value in found
    ]


def _shell(output: str) -> list[Figure]:
    return [Figure("decision about a ten-part line, 500 rules", _after(output, "median"), "ms", 3.0)]


def _dialects(output: str) -> list[Figure]:
    """Calls that models wrote, of which none may be missed, and prose that none may be made of."""
    found = re.search(r"^all\s+(\d+)\s+\d+\s+(\d+)\nno calls\s+(\d+)\s+(\d+)", output, re.MULTILINE)
    if found is None:
        raise SystemExit(f"no sums in:\n{output}")
    parsed, missed, prose, wrong = map(float, found.groups())
    return [
        Figure("documented calls that were missed", missed, "", parsed + missed, 0.0),
        Figure("documented prose taken for a call", wrong, "", prose + wrong, 0.0),
        Figure("reading 50,000 tokens for calls, cpu", _after(output, "50,000 tokens:"), "s", 1.0),
    ]


def _after(text: str, word: str) -> float:
    """The number behind this word."""
    found = re.search(rf"\b{re.escape(word)}\s+([\d,]+(?:\.\d+)?)", text)
    if found is None:
        raise SystemExit(f"no figure {word!r} in:\n{text}")
    return float(found[1].replace(",", ""))


@dataclass(frozen=True, slots=True)
class Bench:
    """A program, what makes it shorter, and how its output is read."""

    arguments: tuple[str, ...]
    read: Callable[[str], list[Figure]]
    quick: tuple[str, ...] = ()


BENCHES = {
    "whole": Bench(("-m", "bench.whole", "--json"), _told),
    "startup": Bench(("-m", "bench.startup", "--json"), _told, ("--rounds", "3")),
    "chain": Bench(("-m", "bench.chain", "--json"), _told),
    "chat": Bench(("-m", "bench.chat"), _chat, ("--rounds", "1")),
    "resume": Bench(("-m", "bench.resume", "--json"), _told, ("--rounds", "3")),
    "store": Bench(("bench/store.py",), _store),
    "hooks": Bench(("-m", "bench.hooks", "--json"), _hooks, ("--rounds", "10")),
    "permissions": Bench(("bench/permissions.py",), _permissions),
    "plugins": Bench(("-m", "bench.plugins", "--json"), _told, ("--rounds", "3")),
    "tools": Bench(("-m", "bench.tool_block", "--json"), _told),
    "providers": Bench(("-m", "bench.providers", "--json"), _told, ("--rounds", "2")),
    "dialects": Bench(("-m", "bench.dialects"), _dialects),
    "shell": Bench(("bench/permissions_shell.py",), _shell),
}


def run(name: str, quick: bool) -> list[Figure]:
    """The figures of one bench; what it prints to stderr is passed on."""
    bench = BENCHES[name]
    command = [sys.executable, *bench.arguments, *(bench.quick if quick else ())]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode not in (0, 1) or not done.stdout.strip():  # 1: a limit was missed
        raise SystemExit(f"{name} failed with {done.returncode}:\n{done.stdout}")
    return bench.read(done.stdout)


def main() -> None:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure, and print ratios.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(BENCHES)} (default: all)")
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in BENCHES]
    if unknown:
        parser.error(f"there is no bench {unknown[0]!r}; there are {', '.join(BENCHES)}")
    figures: list[Figure] = []
    for name in options.names or BENCHES:
        sys.stderr.write(f"{name} …\n")
        figures += run(name, options.quick)
    tell(figures, options.json)


if __name__ == "__main__":
    main()
