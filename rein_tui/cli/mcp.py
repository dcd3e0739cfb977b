"""`rein-tui mcp …`: MCP servers from the command line. Starts none of them."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from getpass import getpass
from pathlib import Path
from typing import Any, TextIO, cast

import msgspec

from ..harness.places import Places
from ..harness.plugins.extensions import load_extensions
from ..harness.plugins.finding import PluginScene
from ..harness.plugins.mcp.approval import Approvals
from ..harness.plugins.mcp.config import Entry, ServerConfig, read_entry
from ..harness.plugins.mcp.edit import SCOPES, EditScope, add_server, file_of, remove_server, scopes_with
from ..harness.plugins.mcp.logging_in import log_in
from ..harness.plugins.mcp.oauth import TokenFile
from ..harness.plugins.mcp.reach import Reach
from ..harness.plugins.mcp.sources import FoundServers, ServerScene, find_servers
from ..harness.protocol.base import JsonObject
from ..harness.protocol.decisions import Source
from ..harness.protocol.errors import ConfigError, ReinError
from ..harness.settings.load import load_settings
from ..harness.settings.trust import keep_trust, read_trust
from .headless import NobodyAnswers
from .mcp_entries import add_values, check_name, entry_of
from .options import Subparsers


def add_mcp_parser(subparsers: Subparsers) -> None:
    """Declare `mcp` with its verbs."""
    mcp = subparsers.add_parser("mcp", help="add, list, show and remove MCP servers")
    verbs = mcp.add_subparsers(dest="mcp_verb", required=True, metavar="VERB")
    add = verbs.add_parser("add", help="add a server: NAME COMMAND ARGS…, or NAME URL with --transport")
    add.add_argument("-s", "--scope", choices=SCOPES, default="local", help="where it is kept (default local)")
    add.add_argument("-t", "--transport", choices=("stdio", "http", "sse"), help="default: http for an address")
    add_values(add)
    add.add_argument("name")
    add.add_argument("target", metavar="COMMAND|URL")
    add.add_argument(
        "args", nargs=argparse.REMAINDER, help="its arguments; put -- before COMMAND when they begin with -"
    )
    plain = verbs.add_parser("add-json", help="add a server from its JSON entry")
    plain.add_argument("-s", "--scope", choices=SCOPES, default="local")
    plain.add_argument("name")
    plain.add_argument("--client-secret", action="store_true", help="asks for its secret, or takes MCP_CLIENT_SECRET")
    plain.add_argument("entry", metavar="JSON")
    listing = verbs.add_parser("list", help="all servers of this folder, and whether they may run")
    listing.add_argument("--json", action="store_true")
    get = verbs.add_parser("get", help="one server, as it would be started")
    get.add_argument("name")
    get.add_argument("--json", action="store_true")
    remove = verbs.add_parser("remove", help="take a server out of its file")
    remove.add_argument("-s", "--scope", choices=SCOPES, default=None, help="default: the one scope that has it")
    remove.add_argument("name")
    login = verbs.add_parser("login", help="log in to a server at an address")
    login.add_argument("name")
    logout = verbs.add_parser("logout", help="forget the login of a server")
    logout.add_argument("name")
    verbs.add_parser("reset-project-choices", help="ask again about the servers of this project")


@dataclass(slots=True)
class _Scene:
    args: argparse.Namespace
    places: Places
    root: Path
    environment: Mapping[str, str]
    out: TextIO

    def say(self, text: str) -> None:
        """A line for a person, without control characters that a file may hold."""
        self.out.write("".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text))
        self.out.write("\n")

    def found(self) -> tuple[FoundServers, Approvals]:
        """All servers, and what is said about them. Raises ReinError."""
        trusted = read_trust(self.places, self.root).trusted
        settings = load_settings(self.places, self.root, trusted=trusted)
        plugins = load_extensions(PluginScene(self.places, self.environment, settings, self.root, ())).servers()
        scene = ServerScene(self.places, self.root, self.environment, plugins=plugins)
        return find_servers(scene), Approvals(self.places, self.root, settings)


def run_mcp(args: argparse.Namespace, places: Places, root: Path, out: TextIO, err: TextIO) -> int:
    """Do what was asked; 0 when it worked, 1 with a reason on `err` when not."""
    try:
        return _VERBS[args.mcp_verb](_Scene(args, places, root, os.environ, out), err)
    except ReinError as problem:
        err.write(f"rein-tui: {problem}\n")
        return 1


def _add(scene: _Scene, err: TextIO) -> int:
    return _write(scene, err, entry_of(scene.args))


def _add_json(scene: _Scene, err: TextIO) -> int:
    try:
        entry: Any = json.loads(scene.args.entry)
    except ValueError as problem:
        raise ConfigError(f"is not valid JSON: {problem}", where="JSON") from None
    return _write(scene, err, entry)


def _write(scene: _Scene, err: TextIO, entry: JsonObject) -> int:
    name, scope = scene.args.name, cast("EditScope", scene.args.scope)
    check_name(name)
    path = file_of(scene.places, scene.root, scope)
    checked, notices = read_entry(Entry(name, entry, scope, Source(layer="user", path=str(path))), scene.environment)
    if checked is None:
        why = notices[0].text.partition("is left out: ")[2] if notices else "it has no address"
        raise ConfigError(f"{name} was not added: {why}", where=str(path))
    secret = _secret(scene) if scene.args.client_secret else ""
    with keep_trust(scene.places, scene.root):
        add_server(scene.places, scene.root, scope, name, entry)
    if secret:
        TokenFile.of(scene.places, checked).keep_secret(secret)
    for notice in notices:
        err.write(f"rein-tui: {notice.text}\n")
    if scope == "project":
        _, approvals = scene.found()
        if approvals.settings.trusted:
            approvals.approve(checked)
    scene.say(f"Added {name} ({checked.transport}: {checked.summary}) to {path}")
    return 0


def _secret(scene: _Scene) -> str:
    """The secret of a registered client: from the environment, or typed unseen. Raises ConfigError."""
    secret = scene.environment.get("MCP_CLIENT_SECRET", "")
    if not secret and sys.stdin.isatty():
        secret = getpass("client secret: ")
    if not secret:
        raise ConfigError("there is no secret", where="--client-secret", hint="Put it into MCP_CLIENT_SECRET.")
    return secret


def _list(scene: _Scene, err: TextIO) -> int:
    found, approvals = scene.found()
    for notice in found.notices:
        err.write(f"rein-tui: {notice.where}: {notice.text}\n")
    records = [_record(config, approvals) for config in found.configs.values()]
    if scene.args.json:
        scene.say(json.dumps(records, indent=2, ensure_ascii=False))
        return 0
    if not records:
        scene.say("There are no MCP servers here. Add one: rein-tui mcp add NAME COMMAND")
    width = max((len(record["name"]) for record in records), default=0)
    for record in records:
        scene.say(f"{record['name']:<{width}}  {record['state']:<10}  {record['scope']:<7}  {record['summary']}")
    return 0


def _record(config: ServerConfig, approvals: Approvals) -> JsonObject:
    verdict = approvals.judge(config)
    return {
        "name": config.name,
        "scope": config.scope,
        "transport": config.transport,
        "summary": config.summary,
        "state": verdict.state or "ready",
        "reason": verdict.reason,
        "source": str(config.source),
        "plugin": config.plugin_id,
    }


def _get(scene: _Scene, err: TextIO) -> int:
    found, approvals = scene.found()
    config = found.configs.get(scene.args.name)
    if config is None:
        raise ConfigError(f"there is no server {scene.args.name!r}", hint="rein-tui mcp list shows all.")
    record = _record(config, approvals)
    # Values of variables and headers are often secrets; names are enough to see what is set.
    record["environment"] = sorted(config.environment)
    record["headers"] = sorted(config.headers)
    if scene.args.json:
        scene.say(msgspec.json.format(msgspec.json.encode(record)).decode())
        return 0
    for key, value in record.items():
        if value:
            shown = ", ".join(map(str, cast("list[Any]", value))) if isinstance(value, list) else value
            scene.say(f"{key:<12} {shown}")
    return 0


def _remove(scene: _Scene, err: TextIO) -> int:
    name, scope = scene.args.name, cast("EditScope | None", scene.args.scope)
    if scope is None:
        found = scopes_with(scene.places, scene.root, name)
        if not found:
            hint = "rein-tui mcp list shows all; a plugin's goes with its plugin."
            raise ConfigError(f"there is no server {name!r} in your files", hint=hint)
        if len(found) > 1:
            ways = " or ".join(f"-s {each}" for each in found)
            raise ConfigError(f"{name!r} is in {len(found)} scopes: {', '.join(found)}", hint=f"Say which: {ways}")
        scope = found[0]
    with keep_trust(scene.places, scene.root):
        path = remove_server(scene.places, scene.root, scope, name)
    scene.say(f"Removed {name} from {path}")
    return 0


def _login(scene: _Scene, err: TextIO) -> int:
    found, approvals = scene.found()
    config = found.configs.get(scene.args.name)
    if config is None:
        raise ConfigError(f"there is no server {scene.args.name!r}", hint="rein-tui mcp list shows all.")
    verdict = approvals.judge(config)
    if verdict.state:
        raise ConfigError(verdict.reason, where=config.name, hint=verdict.hint)
    reach = Reach(scene.places, str(scene.root), "", scene.environment, {})
    scene.say(asyncio.run(log_in(config, reach, NobodyAnswers(), scene.say)))
    return 0


def _logout(scene: _Scene, err: TextIO) -> int:
    found, _ = scene.found()
    config = found.configs.get(scene.args.name)
    if config is None:
        raise ConfigError(f"there is no server {scene.args.name!r}", hint="rein-tui mcp list shows all.")
    storage = TokenFile.of(scene.places, config)
    scene.say(f"Logged out of {config.name}." if storage.has_tokens else f"{config.name} has no login.")
    storage.forget()
    return 0


def _reset(scene: _Scene, err: TextIO) -> int:
    _, approvals = scene.found()
    approvals.forget()
    scene.say("Servers of this project are asked about again.")
    return 0


_VERBS = {
    "add": _add,
    "add-json": _add_json,
    "list": _list,
    "get": _get,
    "remove": _remove,
    "login": _login,
    "logout": _logout,
    "reset-project-choices": _reset,
}
