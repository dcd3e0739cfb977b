"""`rein-tui policy`: ask the permission engine from the command line: check, test, lint, suggest, whatif.

Exit codes: 0 allow (or everything in order), 1 a test or lint found something, 2 a bad command line, 3 ask, 4 deny.
"""

import argparse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol, TextIO, TypeAlias

import msgspec

from rein_tui.cli.policy_reports import (
    TEST_FILES,
    Streams,
    answer,
    json_object,
    run_lint,
    run_suggest,
    run_tests,
    run_whatif,
)
from rein_tui.harness.permissions.cases import read_case
from rein_tui.harness.permissions.policy import Policy, PolicyOptions
from rein_tui.harness.permissions.recorded import recorded_calls
from rein_tui.harness.places import Places
from rein_tui.harness.protocol.decisions import Decision, PermissionQuery
from rein_tui.harness.protocol.errors import ConfigError, ReinError
from rein_tui.harness.protocol.events import Event
from rein_tui.harness.protocol.tools import Workspace
from rein_tui.harness.settings.keys import MODES
from rein_tui.harness.settings.layers import Settings
from rein_tui.harness.settings.load import load_settings
from rein_tui.harness.settings.locations import SourceName
from rein_tui.harness.settings.trust import read_trust
from rein_tui.harness.wiring.containment import Containment

EXIT = {"allow": 0, "ask": 3, "deny": 4}
BAD_COMMAND = 2

Sessions: TypeAlias = Callable[[Sequence[str]], Iterable[tuple[str, Iterable[Event]]]]
"""Stored sessions as (id, facts): those named, or all of the current folder when none is. Raises StoreError."""


class _Subparsers(Protocol):
    """What `ArgumentParser.add_subparsers` gives back."""

    def add_parser(self, name: str, *, help: str) -> argparse.ArgumentParser: ...


def no_sessions(names: Sequence[str]) -> Iterable[tuple[str, Iterable[Event]]]:
    """The sessions of a house without a store."""
    del names
    return ()


def add_policy_parser(subparsers: _Subparsers) -> None:
    """Add `policy check|test|lint|suggest|whatif` to the command line."""
    policy = subparsers.add_parser("policy", help="ask the permission rules: what would be decided, and why")
    actions = policy.add_subparsers(dest="policy_action", required=True, metavar="check|test|lint|suggest|whatif")
    check = actions.add_parser("check", help="decide about one call, or about cases on standard input")
    check.add_argument("tool", nargs="?", metavar="TOOL", help="such as Bash or Read")
    check.add_argument("input", nargs="?", metavar="INPUT_JSON", help="the tool's input as a JSON object")
    check.add_argument("--batch", action="store_true", help="read cases from standard input, one JSON object a line")
    check.add_argument("--mode", choices=sorted(MODES), help="permission mode instead of the settings' own")
    test = actions.add_parser("test", help="run the policy cases of this repository")
    test.add_argument("file", nargs="?", default="", metavar="FILE", help=f"default: {', '.join(TEST_FILES)}")
    lint_rules = actions.add_parser("lint", help="find shadowed, over-broad, inert, misspelt and escapable rules")
    suggest = actions.add_parser("suggest", help="rules that would have answered what you approved")
    whatif = actions.add_parser("whatif", help="decide recorded calls anew under other settings; nothing runs")
    for action in (suggest, whatif):
        action.add_argument("sessions", nargs="*", metavar="SESSION", help="default: all sessions of this folder")
    for action in (check, lint_rules, suggest):
        action.add_argument("--settings", default="", metavar="FILE", help="a settings file or JSON on top")
    words = "settings instead of user's and project's (default: those as they are now)"
    whatif.add_argument("--settings", default="", metavar="NEW", help=words)
    whatif.add_argument("--all", action="store_true", help="show unchanged calls too")
    for action in (check, test, lint_rules, suggest, whatif):
        action.add_argument("--cwd", default="", metavar="DIR", help="the folder to decide in (default: here)")
        action.add_argument("--json", action="store_true", help="print JSON")


def run_policy(
    args: argparse.Namespace,
    places: Places,
    stdin: TextIO,
    stdout: TextIO,
    stderr: TextIO,
    sessions: Sessions = no_sessions,
) -> int:
    """Carry `rein-tui policy …` out and give the exit code. Raises StoreError; other ReinErrors are printed."""
    streams = Streams(stdin, stdout, stderr)
    try:
        if args.policy_action == "check" and args.batch:
            return _batch(streams)
        if args.policy_action == "check":
            return _check(args, places, streams)
        if args.policy_action == "test":
            return run_tests(args, _folder(args), streams)
        if args.policy_action == "lint":
            return run_lint(args, _policy(args, places), streams)
        calls = [call for name, facts in sessions(args.sessions) for call in recorded_calls(name, facts)]
        if args.policy_action == "suggest":
            return run_suggest(args, _policy(args, places), calls, streams)
        return run_whatif(args, _policy(args, places, () if args.settings else None), calls, streams)
    except ReinError as problem:
        streams.stderr.write(f"{problem}\n")
        return BAD_COMMAND


def _folder(args: argparse.Namespace) -> Path:
    folder = Path(args.cwd or ".").absolute()
    if not folder.is_dir():
        raise ConfigError("is not a folder", where=str(folder))
    return folder


def _policy(args: argparse.Namespace, places: Places, sources: Sequence[SourceName] | None = None) -> Policy:
    folder = _folder(args)
    trusted = read_trust(places, folder).trusted
    settings = load_settings(places, folder, Path.cwd(), extra=args.settings, sources=sources, trusted=trusted)
    return _policy_of(settings, folder, places, getattr(args, "mode", None))


def _policy_of(settings: Settings, folder: Path, places: Places, mode: str | None) -> Policy:
    workspace = Workspace(root=folder, cwd=folder, home=places.home, trusted=settings.trusted)
    policy = Policy(settings, workspace, places, PolicyOptions(mode=MODES[mode] if mode else None))
    policy.contain(Containment(settings, workspace, places).contains)
    return policy


# --- check ------------------------------------------------------------------------------------------------


def _check(args: argparse.Namespace, places: Places, streams: Streams) -> int:
    if not args.tool:
        raise ConfigError("name a tool and its input, or pass --batch", where="policy check")
    tool_input = json_object(args.input or "{}", "INPUT_JSON")
    policy = _policy(args, places)
    decision = policy.decide(PermissionQuery(tool=args.tool, input=tool_input, cwd=policy.root))
    if args.json:
        problems = [msgspec.to_builtins(notice) for notice in policy.problems]
        streams.say_json({"decision": msgspec.to_builtins(decision), "problems": problems})
    else:
        streams.warn(policy.problems)
        _explain(decision, streams)
    return EXIT[decision.outcome]


def _explain(decision: Decision, streams: Streams) -> None:
    streams.say(f"{decision.outcome}: {decision.reason}")
    for warning in decision.warnings:
        streams.say(f"  warning: {warning}")
    for part in decision.parts if len(decision.parts) > 1 else ():
        streams.say(f"  {part.outcome:5} {part.text}: {part.reason}")
    for trial in decision.trials:
        mark = "→" if trial.decided else "·"
        about = f" on {trial.part}" if trial.part else ""
        streams.say(f"  {mark} {trial.rule.behavior} {trial.rule.text} [{trial.rule.source}]{about}: {trial.reason}")
    for suggestion in decision.suggestions:
        streams.say(f"  would pass with: {', '.join(suggestion.rules)} ({suggestion.label})")


def _batch(streams: Streams) -> int:
    code = 0
    for line in streams.stdin:
        if not line.strip():
            continue
        name: Any = ""
        try:
            data = json_object(line, "line")
            name = data.get("id", "")
            streams.say_json(answer(name, read_case(data).decide()))
        except ReinError as problem:
            code = BAD_COMMAND
            streams.say_json(
                {
                    "id": name,
                    "decision": "deny",
                    "rule": "",
                    "layer": "",
                    "source": "",
                    "reason": f"bad case: {problem}",
                }
            )
        streams.stdout.flush()
    return code
