"""What `rein-tui mcp add` was given, as an entry. Options may stand anywhere before `--`, as the ecosystem has them."""

import argparse
import re
from typing import Any

from ..harness.protocol.base import JsonObject
from ..harness.protocol.errors import ConfigError

_NAME = re.compile(r"[A-Za-z0-9_-]+")


def add_values(parser: argparse.ArgumentParser) -> None:
    """Declare what an entry holds beside its command or address."""
    parser.add_argument("-e", "--env", action="append", default=[], metavar="NAME=VALUE", type=_pair("="))
    parser.add_argument("-H", "--header", action="append", default=[], metavar="'Name: value'", type=_pair(":"))
    parser.add_argument("--client-id", default="", metavar="ID", help="of an OAuth client that is registered already")
    parser.add_argument("--client-secret", action="store_true", help="asks for its secret, or takes MCP_CLIENT_SECRET")
    parser.add_argument("--callback-port", type=int, default=0, metavar="PORT", help="where the login comes back to")


def _pair(mark: str) -> Any:
    def read(text: str) -> tuple[str, str]:
        name, found, value = text.partition(mark)
        if not found or not name.strip():
            raise argparse.ArgumentTypeError(f"{text!r} is not NAME{mark}VALUE")
        return name.strip(), value.strip() if mark == ":" else value

    return read


def check_name(name: str) -> None:
    """Names of servers become names of tools. Raises ConfigError."""
    if not _NAME.fullmatch(name) or "__" in name or name[0] == "_" or name[-1] == "_":
        hint = "A name has letters, digits, - and single _ inside of it."
        raise ConfigError(f"{name!r} cannot be the name of a server", hint=hint)


def entry_of(args: argparse.Namespace) -> JsonObject:
    """The entry; `args.name` becomes the server's. Raises ConfigError."""
    words = _several([args.name, args.target, *args.args], args)
    if len(words) > 1 and words[1] == "--":
        del words[1]
    if len(words) < 2:
        raise ConfigError("a server needs a name and a command or an address", where="mcp add")
    args.name, target, *rest = words
    transport = args.transport or ("http" if target.startswith(("http://", "https://")) else "stdio")
    return _command(args, target, rest) if transport == "stdio" else _address(args, transport, target, rest)


def _several(words: list[str], args: argparse.Namespace) -> list[str]:
    """`-e A=1 B=2 name`: one option may be followed by several values; they are none of the words."""
    while args.env and len(words) > 1 and re.match(r"[A-Za-z_]\w*=", words[0]):
        args.env.append(_pair("=")(words.pop(0)))
    while args.header and len(words) > 1 and re.match(r"[\w-]+:\s", words[0]):
        args.header.append(_pair(":")(words.pop(0)))
    return words


def _command(args: argparse.Namespace, command: str, rest: list[str]) -> JsonObject:
    if args.header or args.client_id or args.client_secret or args.callback_port:
        raise ConfigError("a command takes no headers and no login", where=args.name)
    entry: JsonObject = {"type": "stdio", "command": command, "args": rest}
    return entry | {"env": dict(args.env)} if args.env else entry


def _address(args: argparse.Namespace, transport: str, url: str, rest: list[str]) -> JsonObject:
    behind = argparse.ArgumentParser(prog="rein-tui mcp add", allow_abbrev=False)
    add_values(behind)
    behind.parse_args(rest, namespace=args)  # options may stand behind an address too
    if args.env:
        raise ConfigError("an address takes no --env and no arguments", where=url)
    entry: JsonObject = {"type": transport, "url": url}
    if args.header:
        entry["headers"] = dict(args.header)
    login = {"clientId": args.client_id, "callbackPort": args.callback_port}
    if any(login.values()):
        entry["oauth"] = {key: value for key, value in login.items() if value}
    return entry
