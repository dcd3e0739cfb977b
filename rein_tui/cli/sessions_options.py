"""The flags of `rein-tui sessions …` and `rein-tui report`."""

import argparse
from pathlib import Path

from ..harness.protocol.workbench import ExportForm
from ..harness.store.store import EVERYTHING
from .numbers import number
from .options import Subparsers

_COUNT = number(int, 1, EVERYTHING, "a number from 1")
_DAYS = number(float, 0, 100_000, "a number of days")

FORMATS: dict[str, ExportForm] = {
    "markdown": "markdown",
    "md": "markdown",
    "html": "html",
    "jsonl": "jsonl",
    "transcript": "transcript",
}


def add_sessions_parser(subparsers: Subparsers) -> None:
    """Declare `sessions` with its verbs, and `report`."""
    _add_report(subparsers)
    sessions = subparsers.add_parser("sessions", help="list, search, export and tidy up stored sessions")
    verbs = sessions.add_subparsers(dest="sessions_verb", required=True, metavar="VERB")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", help="answer with JSON")

    def verb(name: str, help_text: str) -> argparse.ArgumentParser:
        return verbs.add_parser(name, help=help_text, parents=[common])

    listing = verb("list", "sessions, newest first")
    listing.add_argument("--here", action="store_true", help="only those of the current folder")
    listing.add_argument(
        "--limit",
        type=_COUNT,
        default=EVERYTHING,
        help="how many (default: all)",
    )
    search = verb("search", "places where these words were said")
    search.add_argument("words", nargs="+")
    search.add_argument("--limit", type=_COUNT, default=20, help="how many (default 20)")
    show = verb("show", "one session as text")
    show.add_argument("session", help="id, beginning of an id, or title")
    exporting = verb("export", "write a session to a file")
    exporting.add_argument("session")
    exporting.add_argument("--format", choices=sorted(FORMATS), default="markdown")
    exporting.add_argument("-o", "--output", help="file to write; - for standard output (default: the session's id)")
    exporting.add_argument("--force", action="store_true", help="write over a file that is there")
    importing = verb("import", "keep sessions of Claude Code, bundles or files of facts")
    importing.add_argument(
        "files", nargs="*", type=Path, help="files or folders of them; without any, all sessions of Claude Code"
    )
    rename = verb("rename", "give a session a title")
    rename.add_argument("session")
    rename.add_argument("title")
    delete = verb("delete", "delete sessions; they can be had back for a day")
    delete.add_argument("sessions", nargs="+")
    delete.add_argument("--undo", action="store_true", help="take a deletion back, by the id or its beginning")
    prune = verb("prune", "delete old sessions for good, and file contents that no session needs")
    prune.add_argument(
        "--older-than",
        type=_DAYS,
        default=30.0,
        metavar="DAYS",
        help="not used for so long (default 30)",
    )
    prune.add_argument("--headless", action="store_true", help="only those of -p")
    prune.add_argument("--dry-run", action="store_true", help="only say what would go")


def _add_report(subparsers: Subparsers) -> None:
    report = subparsers.add_parser("report", help="write a redacted bug bundle of a session")
    report.add_argument("session", nargs="?", help="id, beginning of an id, or title (default: the newest)")
    report.add_argument("-o", "--output", type=Path, help="file to write (default: rein-tui-report-ID.zip)")
    report.add_argument("--force", action="store_true", help="write over a file that is there")
    report.add_argument("--preview", action="store_true", help="say what would be in it and write nothing")
