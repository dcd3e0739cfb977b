"""The subcommands: policy, hooks, trust, sessions, models, report. Each is loaded only when it is asked for."""

import argparse
import asyncio
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ..harness.places import Places
from ..harness.protocol.events import Event
from .options import Subparsers


def run_subcommand(arguments: Sequence[str], places: Places) -> int:
    """Run `rein-tui NAME …`; returns the exit code. Raises ReinError."""
    parser = argparse.ArgumentParser(prog="rein-tui", allow_abbrev=False)
    subparsers = parser.add_subparsers(dest="command", required=True)
    match arguments[0]:
        case "policy":
            from .policy import add_policy_parser, run_policy

            add_policy_parser(subparsers)
            args = parser.parse_args(arguments)
            return run_policy(args, places, sys.stdin, sys.stdout, sys.stderr, lambda names: _stories(places, names))
        case "hooks":
            return _hooks(parser, subparsers, arguments, places)
        case "trust":
            from .trust import add_trust_parser, run_trust

            add_trust_parser(subparsers)
            return run_trust(parser.parse_args(arguments), places, sys.stdout)
        case "replay":
            from .replay import add_replay_parser, run_replay

            add_replay_parser(subparsers)
            return asyncio.run(run_replay(parser.parse_args(arguments), places))
        case "doctor":
            from ..doctor.command import add_doctor_parser, run_doctor

            add_doctor_parser(subparsers)
            return asyncio.run(run_doctor(parser.parse_args(arguments), places, dict(os.environ), sys.stdout))
        case "plugin":
            from .plugin import PluginScreen, add_plugin_parser, run_plugin

            add_plugin_parser(subparsers)
            screen = PluginScreen(sys.stdin, sys.stdout, sys.stderr)
            return asyncio.run(run_plugin(parser.parse_args(arguments), places, dict(os.environ), screen))
        case "mcp":
            from .mcp import add_mcp_parser, run_mcp

            add_mcp_parser(subparsers)
            return run_mcp(parser.parse_args(arguments), places, Path.cwd().resolve(), sys.stdout, sys.stderr)
        case "server" | "client" | "attach" | "web" | "acp":
            from .server import run_server_command

            return run_server_command(arguments, places)
        case "models":
            from .models import add_models_parser, run_models

            add_models_parser(subparsers)
            return asyncio.run(run_models(parser.parse_args(arguments), dict(os.environ)))
        case _:
            from .sessions import add_sessions_parser, run_sessions

            add_sessions_parser(subparsers)
            return run_sessions(parser.parse_args(arguments), places, sys.stdout, sys.stderr)


def _hooks(
    parser: argparse.ArgumentParser,
    subparsers: Subparsers,
    arguments: Sequence[str],
    places: Places,
) -> int:
    from ..harness.wiring.rehearsal import folder_hooks
    from .hooks import add_hooks_parser, run_hooks

    add_hooks_parser(subparsers)
    args = parser.parse_args(arguments)
    found = folder_hooks(places, dict(os.environ), Path.cwd(), args.plugin_dir or ())
    work = run_hooks(args, found.hooks, found.problems, lambda name: _story(places, name), dormant=found.dormant)
    return asyncio.run(work)


def _story(places: Places, name: str) -> Iterator[Event]:
    """The facts of one stored session. Raises StoreError."""
    from ..harness.store.store import Store

    store = Store.open(places)
    for _, fact in store.read(store.resolve(name).id):
        yield fact


def _stories(places: Places, names: Sequence[str]) -> Iterable[tuple[str, Iterable[Event]]]:
    """These stored sessions, or all of them: (id, facts). Raises StoreError."""
    from ..harness.store.store import Store

    store = Store.open(places)
    ids = [store.resolve(name).id for name in names] or [info.id for info in store.sessions(limit=1_000_000)]
    for session_id in ids:
        yield session_id, (fact for _, fact in store.read(session_id))
