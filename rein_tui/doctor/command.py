"""`rein-tui doctor`: what is wrong, and what to do."""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from rein_tui.cli.options import Subparsers
from rein_tui.harness.places import Places

from .examination import examine
from .finding import Finding
from .terminal import ask_terminal

_SIGNS = {"ok": "✓", "note": "·", "bad": "✗"}


def add_doctor_parser(subparsers: Subparsers) -> None:
    """Add `doctor` to the command line."""
    parser = subparsers.add_parser("doctor", help="check terminal, models, settings, hooks, plugins and store")
    parser.add_argument("--json", action="store_true", help="print JSON")


async def run_doctor(args: argparse.Namespace, places: Places, environment: Mapping[str, str], out: TextIO) -> int:
    """Print what was found for the current folder; 1 when something is wrong."""
    findings = await examine(places, environment, Path.cwd(), ask_terminal())
    has_bad = any(finding.level == "bad" for finding in findings)
    if args.json:
        told = {"ok": not has_bad, "findings": [finding.record() for finding in findings]}
        out.write(json.dumps(told, indent=2, ensure_ascii=True) + "\n")
    else:
        out.write(_clean(report(findings)) + "\n")
    return 1 if has_bad else 0


def report(findings: Sequence[Finding]) -> str:
    """The findings as lines, what is wrong last, where a terminal shows it."""
    lines: list[str] = []
    for finding in sorted(findings, key=lambda one: one.level == "bad"):
        lines.append(f"{_SIGNS[finding.level]} {finding.area:<10} {finding.text}")
        if finding.where and finding.level != "ok":
            lines.append(f"{'':13}{finding.where}")
        if finding.todo:
            lines.append(f"{'':13}→ {finding.todo}")
    wrong = sum(finding.level == "bad" for finding in findings)
    lines.append("")
    lines.append(f"{wrong} to mend." if wrong else "All is well.")
    return "\n".join(lines)


def _clean(text: str) -> str:
    """Without control characters: names of files and messages of servers are foreign."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
