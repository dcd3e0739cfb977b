"""`rein-tui trust`: which folders are trusted, what trust enables here, and taking it back."""

import argparse
import time
from pathlib import Path
from typing import TextIO

from ..harness.places import Places
from ..harness.settings.trust import forget_trust, read_trust, trusted_folders
from .options import Subparsers


def add_trust_parser(subparsers: Subparsers) -> None:
    """Add `trust list|show|forget` to the command line."""
    trust = subparsers.add_parser("trust", help="folders whose hooks, servers and rules may take effect")
    actions = trust.add_subparsers(dest="trust_action", required=True, metavar="list|show|forget")
    actions.add_parser("list", help="every folder that you trusted")
    for name, words in (("show", "what trust in a folder enables"), ("forget", "take trust in a folder back")):
        action = actions.add_parser(name, help=words)
        action.add_argument("folder", nargs="?", default=".", metavar="DIR", help="default: here")


def run_trust(args: argparse.Namespace, places: Places, stdout: TextIO) -> int:
    """Carry `rein-tui trust …` out; 1 when there was nothing to forget. Raises ConfigError."""
    if args.trust_action == "list":
        folders = trusted_folders(places)
        for folder, accepted in folders:
            stdout.write(f"{time.strftime('%Y-%m-%d', time.localtime(accepted))}  {folder}\n")
        if not folders:
            stdout.write("no folder is trusted\n")
        return 0
    folder = Path(args.folder).absolute()
    if args.trust_action == "show":
        return _show(folder, places, stdout)
    forgotten = forget_trust(places, folder)
    report = read_trust(places, folder)
    stdout.write(f"{report.root}: {'forgotten' if forgotten else 'was not trusted here'}\n")
    if report.trusted:
        stdout.write(f"It stays trusted: {places.global_state} says so (hasTrustDialogAccepted).\n")
    return 0 if forgotten else 1


def _show(folder: Path, places: Places, stdout: TextIO) -> int:
    report = read_trust(places, folder)
    state = "trusted" if report.trusted else "trusted once, but changed since" if report.changed else "not trusted"
    stdout.write(f"{report.root}: {state}\n")
    for item in report.items:
        stdout.write(f"  {item.kind}: {_printable(item.title)}  [{_printable(item.where)}]\n")
    if not report.items:
        stdout.write("  nothing here would take effect\n")
    return 0


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
