"""The command line: flags, their meaning and their errors. Parsing only; nothing heavier than argparse."""

import argparse
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, cast, get_args

from .. import __version__
from ..harness.protocol.decisions import Mode
from .numbers import number

if TYPE_CHECKING:
    from ..harness.settings.locations import SourceName

_TURNS = number(int, 1, math.inf, "a number from 1")


class Subparsers(Protocol):
    """What a subcommand's module needs of argparse to add its parser."""

    def add_parser(self, name: str, *, help: str) -> argparse.ArgumentParser:
        """A parser for `name`."""
        ...


_EPILOG = """\
commands (rein-tui COMMAND --help):
  policy      check, test, lint, suggest and what-if permission rules
  hooks       list hooks, run them dry
  trust       folders that you trust, what that enables, and taking it back
  sessions    list, search, show, export, import, rename, delete, prune
  mcp         add, list, show and remove MCP servers
  models      list models and servers
  replay      play a recorded session through the screen; nothing runs
  report      write a redacted bug bundle of a session
  doctor      check terminal, models, settings, hooks, plugins and store
  plugin      install, switch, list and check plugins; marketplaces
  server      the harness for other screens and programs, behind a token
  client      the full screen over a harness elsewhere; attach: over one in a terminal of yours
  web         the full screen in a browser
  acp         the harness for editors (Agent Client Protocol)

environment:
  ANTHROPIC_API_KEY, ANTHROPIC_AUTH_TOKEN, ANTHROPIC_BASE_URL, CLAUDE_MODEL
  LOCAL_LLM_URL (default http://localhost:11434/v1), LOCAL_LLM_MODEL (default qwen2.5-coder:7b), LOCAL_LLM_API_KEY
  CLAUDE_CONFIG_DIR, REIN_TUI_DATA_DIR
"""


class Options(argparse.Namespace):
    """What was asked for on the command line, typed."""

    prompt: str | None = None
    print: bool = False
    output_format: Literal["text", "json", "stream-json"] = "text"
    input_format: Literal["text", "stream-json"] = "text"
    include_partial_messages: bool = False
    include_hook_events: bool = False
    verbose: bool = False
    resume: str | None = None
    continue_last: bool = False
    fork_session: bool = False
    session_id: str = ""
    no_session_persistence: bool = False
    init: bool = False
    init_only: bool = False
    maintenance: bool = False
    name: str = ""
    model: str = ""
    local: bool = False
    local_url: str = ""
    local_model: str = ""
    native_tools: bool = False
    prompt_tools: bool = False
    gguf: str | None = None
    demo: bool = False
    effort: str = ""
    system_prompt: str | None = None
    append_system_prompt: str = ""
    project_dir: Path | None = None
    add_dir: list[Path] | None = None
    plugin_dir: list[Path] | None = None
    settings: str = ""
    setting_sources: "tuple[SourceName, ...] | None" = None
    permission_mode: str | None = None
    dangerously_skip_permissions: bool = False
    allowed_tools: list[str] | None = None
    disallowed_tools: list[str] | None = None
    max_turns: int = 0
    trust: bool = False
    mcp_config: list[str] | None = None
    strict_mcp_config: bool = False
    attachable: bool = False


def build_parser() -> argparse.ArgumentParser:
    """The parser of `rein-tui` and `rein-tui direct`."""
    parser = argparse.ArgumentParser(
        prog="rein-tui",
        description="A full-screen terminal coding assistant that you can see through.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("prompt", nargs="?", help="what to do first")
    parser.add_argument("-v", "--version", action="version", version=f"rein-tui {__version__}")
    _headless_flags(parser)
    _session_flags(parser)
    _model_flags(parser)
    _harness_flags(parser)
    return parser


def _headless_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("without a screen")
    group.add_argument("-p", "--print", action="store_true", help="print the answer and exit; what would ask is denied")
    group.add_argument("--output-format", choices=("text", "json", "stream-json"), default="text")
    group.add_argument("--input-format", choices=("text", "stream-json"), default="text")
    group.add_argument("--include-partial-messages", action="store_true", help="stream events in stream-json")
    group.add_argument("--include-hook-events", action="store_true", help="hook records in stream-json")
    group.add_argument("--verbose", action="store_true", help="with -p: everything that stream-json knows")
    group.add_argument("--max-turns", type=_TURNS, default=0, metavar="N", help="at most N requests to the model")


def _session_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("sessions")
    group.add_argument(
        "-c", "--continue", dest="continue_last", action="store_true", help="go on with the last one here"
    )
    group.add_argument("-r", "--resume", nargs="?", const="", metavar="ID", help="go on with a session; no ID: choose")
    group.add_argument("--fork-session", action="store_true", help="with --continue or --resume: in a copy")
    group.add_argument("--session-id", default="", metavar="UUID", help="the id of the new session")
    group.add_argument("-n", "--name", default="", help="the title of the new session")
    group.add_argument("--attachable", action="store_true", help="let `rein-tui attach` join from another terminal")
    group.add_argument("--no-session-persistence", action="store_true", help="store nothing")
    group.add_argument("--init", action="store_true", help="first run the Setup hooks for init")
    group.add_argument("--init-only", action="store_true", help="run Setup and SessionStart hooks, then exit")
    group.add_argument("--maintenance", action="store_true", help="first run the Setup hooks for maintenance")


def _model_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("models")
    group.add_argument("--model", default="", help="model of Claude's API (default: CLAUDE_MODEL, else Sonnet)")
    group.add_argument("--local", action="store_true", help="use a local server")
    group.add_argument("--local-url", default="", metavar="URL", help="its URL; implies --local")
    group.add_argument("--local-model", default="", metavar="NAME", help="its model; implies --local")
    tools = group.add_mutually_exclusive_group()
    tools.add_argument("--native-tools", action="store_true", help="the server parses tool calls; do not probe")
    tools.add_argument("--prompt-tools", action="store_true", help="describe tools in the prompt; do not probe")
    group.add_argument(
        "--gguf", nargs="?", const="", metavar="PATH", help="serve a model file; no PATH: a small one to try"
    )
    group.add_argument("--demo", action="store_true", help="a scripted model in a scratch folder shows every pane")
    group.add_argument("--effort", default="", choices=("low", "medium", "high", "xhigh", "max"))
    group.add_argument("--system-prompt", default=None, metavar="TEXT", help="in place of ours")
    group.add_argument("--append-system-prompt", default="", metavar="TEXT", help="after ours")


def _harness_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("project and permissions")
    group.add_argument("--project-dir", type=Path, metavar="DIR", help="where to work (default: here)")
    group.add_argument("--add-dir", type=Path, action="append", metavar="DIR", help="a further folder to work in")
    group.add_argument("--plugin-dir", type=Path, action="append", metavar="DIR", help="a plugin for this session")
    group.add_argument("--settings", default="", metavar="FILE|JSON", help="further settings")
    group.add_argument("--setting-sources", default=None, type=_sources, metavar="LIST", help="of user,project,local")
    group.add_argument("--permission-mode", default=None, type=_mode, metavar="MODE", help=", ".join(get_args(Mode)))
    group.add_argument("--dangerously-skip-permissions", action="store_true", help="the mode bypassPermissions")
    group.add_argument("--allowedTools", "--allowed-tools", dest="allowed_tools", nargs="+", metavar="RULE")
    group.add_argument("--disallowedTools", "--disallowed-tools", dest="disallowed_tools", nargs="+", metavar="RULE")
    group.add_argument("--mcp-config", nargs="+", action="extend", metavar="FILE|JSON", help="further MCP servers")
    group.add_argument("--strict-mcp-config", action="store_true", help="no MCP servers but those of --mcp-config")
    group.add_argument("--trust", action="store_true", help="with -p: trust this folder's own settings and hooks, once")


def _mode(text: str) -> str:
    mode = "default" if text == "manual" else text
    if mode not in get_args(Mode):
        raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(get_args(Mode))}")
    return mode


def _sources(text: str) -> "tuple[SourceName, ...]":
    """A name that is none would leave layers out that nobody meant to leave out, their deny rules with them."""
    from ..harness.settings.locations import ALL_SOURCES

    names = [name.strip() for name in text.split(",") if name.strip()]
    if unknown := [name for name in names if name not in ALL_SOURCES]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of user, project, local")
    return cast("tuple[SourceName, ...]", tuple(names))


def parse_options(arguments: Sequence[str]) -> Options:
    """The options of a start without a subcommand; exits with 2 and a message when they do not parse."""
    parser = build_parser()
    options = parser.parse_args(arguments, namespace=Options())
    if options.input_format == "stream-json" and not options.print:
        parser.error("--input-format stream-json goes with --print")
    if options.fork_session and not (options.continue_last or options.resume):
        parser.error("--fork-session goes with --continue or --resume ID")
    if options.continue_last and options.resume is not None:
        parser.error("--continue and --resume exclude each other")
    if options.print and options.resume == "":
        parser.error("--resume needs an ID with --print")
    if options.project_dir is not None and not options.project_dir.is_dir():
        parser.error(f"--project-dir {options.project_dir}: no such folder")
    for folder in options.add_dir or ():
        if not folder.is_dir():
            parser.error(f"--add-dir {folder}: no such folder")
    for folder in options.plugin_dir or ():
        if not folder.exists():
            parser.error(f"--plugin-dir {folder}: no such folder")
    return options


def refuse_screen_flags(parser: argparse.ArgumentParser, options: Options) -> None:
    """Flags that name one session or one screen mean nothing where clients choose their sessions. Ends the program."""
    given = {
        "--continue": options.continue_last,
        "--resume": options.resume is not None,
        "--fork-session": options.fork_session,
        "--session-id": options.session_id,
        "--name": options.name,
        "--attachable": options.attachable,
        "--output-format": options.output_format != "text",
        "--input-format": options.input_format != "text",
    }
    for flag in [flag for flag, is_given in given.items() if is_given]:
        parser.error(f"{flag} is for a screen: here, whoever connects chooses the session")
