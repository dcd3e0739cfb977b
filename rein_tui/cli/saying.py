"""How `rein-tui plugin …` speaks: lines for a person, or JSON for a program."""

import argparse
import json
from dataclasses import dataclass
from typing import Any, TextIO


@dataclass(frozen=True, slots=True)
class PluginScreen:
    """Where a command says things, and whether somebody can answer."""

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO

    def say(self, *lines: str) -> None:
        """Lines for a person."""
        for line in lines:  # other people's words: no control characters reach the terminal
            shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in line)
            self.stdout.write(shown + "\n")

    def say_json(self, value: Any) -> None:
        """One JSON value for a program."""
        self.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")

    def agrees(self, question: str) -> bool:
        """Whether the person says yes; without a terminal the command itself is the yes."""
        if not self.stdin.isatty():
            return True
        self.stdout.write(f"{question} [y/N] ")
        self.stdout.flush()
        return self.stdin.readline().strip().lower() in ("y", "yes")


def report(args: argparse.Namespace, screen: PluginScreen, value: dict[str, Any], *lines: str) -> None:
    """What came of it: the value with --json, else the lines."""
    if args.json:
        screen.say_json(value)
    else:
        screen.say(*lines)
