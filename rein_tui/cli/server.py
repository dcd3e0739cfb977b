"""`rein-tui server`, `web` and `acp`, and a terminal that others may attach to: the harness for others."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from ..harness.places import Places
from ..harness.protocol.base import JsonObject
from ..harness.protocol.errors import StartError
from ..harness.protocol.messages import ToolSpec
from ..harness.protocol.ports import Harness, Prompter
from .extras import need
from .numbers import number
from .options import Options, build_parser, refuse_screen_flags
from .wanted import choice_of, wishes_of

if TYPE_CHECKING:
    from ..harness.wiring.build import LocalWorkbench
    from ..remote.connection import Reception
    from ..remote.hall import Hall
    from ..remote.principals import Principals
    from ..remote.server import Desk

SERVER_COMMANDS = frozenset({"server", "client", "attach", "web", "acp"})


def run_server_command(arguments: Sequence[str], places: Places) -> int:
    """Run `rein-tui server|client|attach|web|acp …`; returns the exit code. Raises ReinError."""
    match arguments[0]:
        case "server":
            return asyncio.run(_serve(_server_options(arguments[1:]), places))
        case "web":
            need("textual_serve", "web")
            from ..remote.web import run_web

            return run_web(arguments[1:], places)
        case "acp":
            need("acp", "acp")
            from ..remote.acp_run import run_acp

            return asyncio.run(run_acp(arguments[1:], places))
        case _:
            from .client import run_client

            return run_client(arguments, places)


# --- the server ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class ServerOptions(Options):
    """What `rein-tui server` was asked for, typed."""

    host: str = "127.0.0.1"
    port: int = 8765
    token_file: Path | None = None
    tls_cert: str = ""
    tls_key: str = ""
    allow_host: list[str] | None = None
    max_sessions: int = 500
    answer_timeout: float = 3600.0
    owner_grace: float = 60.0


_SESSIONS = number(int, 1, 1_000_000, "a number from 1")
_SECONDS = number(float, 0, 1e9, "a number of seconds")


def server_parser() -> argparse.ArgumentParser:
    """The parser of `rein-tui server`: its own flags and those of every start."""
    parser = build_parser()
    parser.prog, parser.description = "rein-tui server", "Serve the harness to other screens and programs."
    parser.epilog = "The token comes from REIN_TUI_TOKEN, from --token-file, or is made at start."
    group = parser.add_argument_group("server")
    group.add_argument("--host", default="127.0.0.1", help="beyond loopback only with TLS")
    group.add_argument("--port", type=int, default=8765, help="0: any free one")
    group.add_argument("--token-file", type=Path, metavar="FILE", help="TOKEN, or lines of NAME TOKEN; mode 0600")
    group.add_argument("--tls-cert", default="", metavar="FILE")
    group.add_argument("--tls-key", default="", metavar="FILE")
    group.add_argument("--allow-host", action="append", metavar="NAME", help="a further Host name of this server")
    group.add_argument("--max-sessions", type=_SESSIONS, default=500, metavar="N", help="open at once")
    group.add_argument("--answer-timeout", type=_SECONDS, default=3600.0, metavar="S", help="then a question is denied")
    group.add_argument("--owner-grace", type=_SECONDS, default=60.0, metavar="S", help="time to come back and answer")
    return parser


def _server_options(arguments: Sequence[str]) -> ServerOptions:
    parser = server_parser()
    options = parser.parse_args(arguments, namespace=ServerOptions())
    if options.prompt is not None or options.print:
        parser.error("a server takes no prompt")
    refuse_screen_flags(parser, options)
    for name in ("max_sessions", "answer_timeout", "owner_grace"):
        if getattr(options, name) <= 0:
            parser.error(f"--{name.replace('_', '-')} must be more than 0")
    if options.project_dir is not None and not options.project_dir.is_dir():
        parser.error(f"--project-dir {options.project_dir}: no such folder")
    return options


async def _serve(options: ServerOptions, places: Places) -> int:
    for module in ("fastapi", "uvicorn", "websockets"):
        need(module, "server")
    from ..remote.guard import Tokens
    from ..remote.principals import Principals
    from ..remote.questions import EdgePrompter
    from ..remote.server import create_app
    from ..remote.server_run import Listening, guard_of, run_server
    from ..remote.tokens import generated_token, tokens_of

    listening = Listening(
        host=options.host,
        port=options.port,
        cert=options.tls_cert,
        key=options.tls_key,
        names=tuple(options.allow_host or ()),
    )
    listening.check()
    principals = Principals(places.data / "server-principals.json")
    bench = _open_bench(options, places, EdgePrompter())
    if bench.choice is None:
        await bench.close("other")
        raise StartError(
            "No model is chosen.",
            hint="Set ANTHROPIC_API_KEY, or give --local, --local-url URL, --gguf PATH or --demo.",
        )
    try:
        listener, listening = listening.bound()
        with listener, tokens_of(options.token_file, generated_token(places, listening.port)) as (tokens, said):
            hall = _hall(bench, options, principals)
            reception = _reception(hall, bench)
            app = create_app(reception, _Exhibits(bench).desk())
            guard = guard_of(app, Tokens(tokens), listening, reception)
            sys.stdout.write(f"rein-tui serves {bench.wishes.root} on {listening.url}\n{said}\n{listening.advice}")
            sys.stdout.flush()
            await run_server(guard, listener, listening, hall)
    finally:
        await bench.close("other")
    return 0


def _open_bench(options: Options, places: Places, prompter: Prompter) -> "LocalWorkbench":
    from ..harness.wiring.build import open_workbench

    environment = {name: value for name, value in os.environ.items() if name != "REIN_TUI_TOKEN"}
    wishes = wishes_of(options, interactive=True)
    return open_workbench(places, environment, wishes, prompter, choice_of(options, environment, places))


def _hall(bench: "LocalWorkbench", options: ServerOptions, principals: "Principals | None" = None) -> "Hall":
    from ..remote.hall import Hall, Limits
    from ..remote.questions import Patience

    patience = Patience(answer=options.answer_timeout, empty=options.owner_grace)
    return Hall(bench, limits=Limits(sessions=options.max_sessions, patience=patience), principals=principals)


def _reception(hall: "Hall", bench: "LocalWorkbench") -> "Reception":
    from ..remote.connection import Reception

    return Reception(hall, lambda token, address: "", version=__version__, project=str(bench.wishes.root))


class _Exhibits:
    """What the endpoints show besides sessions: tools and settings."""

    def __init__(self, bench: "LocalWorkbench") -> None:
        self._bench = bench
        self._probe: Harness | None = None
        self._probing = asyncio.Lock()

    def desk(self) -> "Desk":
        """As the server wants it."""
        from ..remote.server import Desk

        return Desk(self.tools, self.settings)

    async def tools(self) -> tuple[ToolSpec, ...]:
        """The tools of a session here: of one that is not stored and says nothing. Raises ReinError."""
        from ..harness.session import Session

        async with self._probing:
            if self._probe is None:
                notices = list(self._bench.notices)  # for the first session that somebody sees
                self._probe = await self._bench.open("", replace(self._bench.wishes, persist=False))
                self._bench.notices[:0] = notices
        if not isinstance(self._probe, Session):
            return ()
        parts = self._probe.parts
        return parts.tools.specs(parts.removed_tools())

    def settings(self) -> JsonObject:
        """Settings in force, the model and the permission mode that flags chose among them; secrets masked."""
        from ..harness.settings.load import load_settings
        from ..remote.masking import masked

        bench, wishes = self._bench, self._bench.wishes
        settings = load_settings(
            self._bench.places, wishes.root, extra=wishes.settings, sources=wishes.sources, trusted=wishes.trust
        )
        shown = masked(settings.data)
        if bench.choice is not None:
            shown["model"] = bench.choice.model
        mode = wishes.mode or settings.get("permissions", "defaultMode", default="default")
        shown["permissions"] = {**shown.get("permissions", {}), "defaultMode": mode}
        return shown


# --- a terminal that others may attach to -------------------------------------------------------------------


async def attachable_screen(options: Options, places: Places) -> str:
    """The screen of `--attachable`: its sessions live in a hall that others on this machine may join.

    Returns the command that resumes the session.
    """
    need("websockets", "server")
    from ..modal_prompter import ModalPrompter
    from ..remote.client import RemoteWorkbench
    from ..remote.local_link import LocalLink
    from ..remote.questions import EdgePrompter
    from ..remote.server_run import attach_socket
    from .client import run_screen
    from .main import session_of

    bench = _open_bench(options, places, EdgePrompter())
    hall = _hall(bench, ServerOptions())
    prompter = ModalPrompter()
    remote = RemoteWorkbench(LocalLink(hall, client="screen"), prompter)
    socket = places.data / "run" / f"{bench.wishes.root.name or 'root'}-{os.getpid()}.sock"
    try:
        async with attach_socket(socket, _reception(hall, bench)):
            resumed = session_of(bench, options)
            return await run_screen(remote, prompter, places, resumed, options.prompt or "", name=socket.stem)
    finally:
        await hall.close()
        await remote.close()
        await bench.close()
