"""`rein-tui client` and `rein-tui attach`: the full screen over a harness elsewhere."""

import argparse
import asyncio
import os
import shlex
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..harness.places import Places
from ..harness.protocol.errors import ConfigError, StartError
from .extras import need

if TYPE_CHECKING:
    from ..modal_prompter import ModalPrompter
    from ..remote.address import Address
    from ..remote.client import RemoteWorkbench

DEFAULT_URL = "ws://127.0.0.1:8765/ws/chat"


@dataclass(slots=True)
class ClientOptions(argparse.Namespace):
    """What `rein-tui client` was asked for, typed."""

    name: str = ""
    url: str = ""
    token: str = ""
    token_file: Path | None = None
    ca: str = ""
    session: str = ""
    watch: bool = False
    claim: bool = False
    system_prompt: str | None = None
    is_attach: bool = False


def _client_options(arguments: Sequence[str]) -> ClientOptions:
    parser = argparse.ArgumentParser(
        prog=f"rein-tui {arguments[0]}", description="The full screen over a harness elsewhere.", allow_abbrev=False
    )
    parser.add_argument("name", nargs="?", default="", help="attach: the terminal to join, when there are several")
    parser.add_argument("--url", default="", help=f"default: {DEFAULT_URL}; attach: a terminal of yours")
    parser.add_argument("--token", default="", help="better: REIN_TUI_TOKEN or --token-file, others see arguments")
    parser.add_argument("--token-file", type=Path, metavar="FILE")
    parser.add_argument("--ca", default="", metavar="FILE", help="trust this certificate")
    parser.add_argument("--session", default="", metavar="ID", help="which session; attach: the one on the screen")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--watch", action="store_true", help="look on only")
    mode.add_argument("--claim", action="store_true", help="become the one who prompts and answers")
    parser.add_argument("--system-prompt", default=None, metavar="TEXT", help="for a new session")
    options = parser.parse_args(arguments[1:], namespace=ClientOptions())
    options.is_attach = arguments[0] == "attach"
    return options


def run_client(arguments: Sequence[str], places: Places) -> int:
    """Run `rein-tui client|attach …`; returns the exit code. Raises ReinError."""
    return asyncio.run(_client(_client_options(arguments), places))


async def _client(options: ClientOptions, places: Places) -> int:
    need("websockets", "server")
    from ..remote.link import SocketLink

    address = _address(options, places)
    if address is None:
        return 0
    if not sys.stdin.isatty() or not sys.stdout.isatty():
        raise StartError("The screen needs a terminal.")
    from ..modal_prompter import ModalPrompter
    from ..remote.client import RemoteWorkbench

    prompter = ModalPrompter()
    link = SocketLink(address, client=uuid.uuid4().hex)
    bench = RemoteWorkbench(
        link, prompter, watch=options.watch, claim=options.claim, system_prompt=options.system_prompt
    )
    try:
        await bench.prepare()
        session = await _session(bench, options, address)
        said = await run_screen(bench, prompter, places, session)
    finally:
        await bench.close()
    if said:
        sys.stdout.write(f"\nGo on with this session:\n  {_way_back(options, said.rpartition(' ')[2])}\n")
    return 0


async def _session(bench: "RemoteWorkbench", options: ClientOptions, address: "Address") -> str:
    """The session to open; empty for a new one. Raises StoreError, StartError."""
    if options.session:
        return await bench.lists.named(options.session)
    found = await bench.lists.on_screen() if address.socket is not None or options.watch else ""
    if options.watch and not found:
        raise StartError(
            "No session is open there to watch.", where=address.name, hint="--session ID opens a stored one."
        )
    return found


def _way_back(options: ClientOptions, session: str) -> str:
    """The command that comes back to a session: with these options, but without the token."""
    given = (("--url", options.url), ("--token-file", options.token_file), ("--ca", options.ca))
    words = ["rein-tui", "attach" if options.is_attach else "client", *filter(None, [options.name])]
    words += [word for flag, value in given if value for word in (flag, str(value))]
    words += ["--watch"] if options.watch else []
    return shlex.join([*words, "--session", session])


async def run_screen(
    bench: "RemoteWorkbench",
    prompter: "ModalPrompter",
    places: Places,
    session: str,
    prompt: str = "",
    *,
    name: str | None = None,
) -> str:
    """The full screen over a harness elsewhere; returns what the app returns. `name`: by which others join it."""
    from ..app import ReinApp
    from ..harness.protocol.events import Notice
    from .signals import Ending, endings, on_signals

    joining = [Notice(text=f"Others join from another terminal of yours: rein-tui attach {name}")] if name else []
    app = ReinApp(bench, prompter=prompter, places=places, open_id=session, initial_prompt=prompt, notices=joining)
    app.attach_name = name
    bench.lists.changed = app.desk.refresh
    try:
        with on_signals(endings(), Ending(app.leave).begin):
            return await app.run_async() or ""
    finally:
        bench.lists.changed = lambda: None  # lists still come while the house is closed


def _address(options: ClientOptions, places: Places) -> "Address | None":
    """Where to connect; None when only a list was to be shown. Raises ConfigError, StartError."""
    from ..remote.address import Address
    from ..remote.server_run import attachable

    if options.is_attach and not options.url:
        sockets = {path.stem: path for path in attachable(places.data / "run")}
        if options.name and options.name not in sockets:
            raise StartError(f"No terminal {options.name!r} can be attached to.", hint="rein-tui attach lists them.")
        if options.name or len(sockets) == 1:
            return Address(socket=sockets[options.name] if options.name else next(iter(sockets.values())))
        if sockets:
            sys.stdout.write("".join(f"rein-tui attach {name}\n" for name in sockets))
            return None
    url = options.url or DEFAULT_URL
    return Address(url=url, token=lambda: _client_token(options, places, url), ca=options.ca)


def _client_token(options: ClientOptions, places: Places, url: str) -> str:
    """The token; read anew for every connection, since a server that started anew may have made another."""
    from urllib.parse import urlsplit

    if options.token or os.environ.get("REIN_TUI_TOKEN"):
        return options.token or os.environ["REIN_TUI_TOKEN"]
    from ..remote.tokens import generated_token

    path = options.token_file or generated_token(places, urlsplit(url).port or 443)
    try:
        words = path.read_text(encoding="utf-8").split()
    except OSError as error:
        if options.token_file is None:
            return ""
        raise ConfigError(f"The token file cannot be read: {error.strerror}", where=str(path)) from error
    return words[-1] if words else ""
