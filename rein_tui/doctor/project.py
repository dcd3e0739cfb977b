"""What the person and the folder configured: settings, trust, hooks, plugins, servers, sandbox."""

import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rein_tui.harness.hooks.effect import short_title
from rein_tui.harness.hooks.placeholders import PlaceholderError, fill_shell, folders
from rein_tui.harness.permissions.sandbox import SandboxUnavailable, bubblewrap_problem, sandbox_wrap
from rein_tui.harness.places import Places
from rein_tui.harness.protocol.errors import ReinError
from rein_tui.harness.protocol.hooks import HookSpec
from rein_tui.harness.protocol.tools import Workspace
from rein_tui.harness.settings.inert import without_effect
from rein_tui.harness.settings.layers import Settings
from rein_tui.harness.settings.load import load_settings
from rein_tui.harness.settings.trust import read_trust
from rein_tui.harness.wiring.switches import hook_specs, hook_switches

from .extensions import brought, check_plugins, check_servers
from .finding import Finding, bad, note, of_notice, ok

_INTERPRETERS = frozenset("sh bash zsh dash python python3 node ruby perl pwsh deno bun php".split())
_SHELL_WORDS = frozenset(
    "[ [[ { ( ! : . alias break cat case cd command continue echo eval exec exit export false for function if "
    "jobs kill local printf pwd read readonly return set shift source test time trap true type ulimit umask "
    "unset until wait while".split()
)


@dataclass(frozen=True, slots=True)
class Project:
    """A folder's settings as a session there would have them, and what was found on the way."""

    settings: Settings | None
    findings: tuple[Finding, ...]

    @property
    def key_helper(self) -> str:
        """Where settings name a program that prints the key, or nothing."""
        source = self.settings.origin("apiKeyHelper") if self.settings is not None else None
        return str(source) if source is not None else ""


def check_project(places: Places, environment: Mapping[str, str], root: Path) -> Project:
    """Settings, trust, hooks and sandbox of a session that would start in this folder."""
    try:
        report = read_trust(places, root)
        settings = load_settings(places, root, trusted=report.trusted)
    except ReinError as error:
        return Project(None, (bad("settings", error.message, error.hint or "correct the file", error.where),))
    # What waits for trust is no problem of the file; the finding about trust tells it.
    findings = [of_notice("settings", p) for p in settings.problems if p.code != "held_until_trust"]
    if not findings:
        files = len([layer for layer in settings.layers if layer.path])
        findings.append(ok("settings", f"{files} file{'s' * (files != 1)}, no problems"))
    for name, source in without_effect(settings):
        findings.append(note("settings", f"{name} has no effect in rein-tui", where=str(source)))
    if report.trusted:
        findings.append(ok("trust", f"{report.root} is trusted as it is now"))
    elif report.items:
        changed = "changed since you trusted it" if report.changed else "not trusted"
        text = f"{report.root} is {changed}: {len(report.items)} things in it wait"
        findings.append(note("trust", text, "start rein-tui there; it shows them and asks"))
    else:
        findings.append(ok("trust", "nothing in this folder needs trust"))
    extensions = brought(places, environment, settings, root)
    findings += _hooks(settings, extensions.hooks(), environment, root)
    findings += check_plugins(extensions)
    findings += check_servers(places, environment, settings, root, extensions)
    findings += _sandbox(settings, places, root)
    return Project(settings, tuple(findings))


# --- hooks --------------------------------------------------------------------------------------------------


def _hooks(
    settings: Settings, of_plugins: list[HookSpec], environment: Mapping[str, str], root: Path
) -> Iterator[Finding]:
    specs, problems = hook_specs(settings)
    specs += of_plugins
    yield from (of_notice("hooks", problem) for problem in problems if problem.code != "missing_hook")
    broken = 0
    for spec in specs:
        if spec.handler == "command" and (finding := _program(spec, environment, root)):
            broken += 1
            yield finding
    if hook_switches(settings).disable_all:
        source = settings.origin("disableAllHooks")
        yield note("hooks", "all hooks are switched off", "take disableAllHooks out", str(source) if source else "")
    if specs and not broken:
        yield ok("hooks", f"{len(specs)} hooks, all programs are there")
    elif not specs:
        yield ok("hooks", "none configured")


def _program(spec: HookSpec, environment: Mapping[str, str], root: Path) -> Finding | None:
    """What is wrong with the program that a command hook starts, as far as its first words tell."""
    where, title = str(spec.source), f"{spec.point} hook {short_title(spec)}"
    try:
        words = _words(spec, root)
    except (ValueError, PlaceholderError) as error:
        return bad("hooks", f"{title}: {error}", "correct the command line", where)
    if not words:
        return None
    program, *rest = words
    if "/" not in program:
        if program not in _SHELL_WORDS and shutil.which(program, path=environment.get("PATH")) is None:
            return bad("hooks", f"{title}: there is no program {program!r}", "install it, or correct the name", where)
        script = next((word for word in rest if not word.startswith("-")), "")
        if program in _INTERPRETERS and _is_path(script) and not _at(root, script).is_file():
            return bad("hooks", f"{title}: {script} does not exist", "create it, or correct the path", where)
        return None
    path = _at(root, program)
    if not path.is_file():
        return bad("hooks", f"{title}: {program} does not exist", "create it, or correct the path", where)
    if not os.access(path, os.X_OK):
        return bad("hooks", f"{title}: {program} is not executable", f"chmod +x {shlex.quote(str(path))}", where)
    return None


def _words(spec: HookSpec, root: Path) -> list[str]:
    """The first command of the line, as far as it is plain words. Raises ValueError, PlaceholderError."""
    command = str(spec.config["command"])
    values = folders(spec, str(root))
    arguments = spec.config.get("args")
    if isinstance(arguments, list):
        return [fill_shell(command, values)]
    text = fill_shell(command, values)
    for name, value in values.items():
        text = text.replace(f"${{{name}}}", value).replace(f"${name}", value)
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in lexer:
        if word and set(word) <= set("();<>|&"):
            break
        if not words and "=" in word.split("/", 1)[0]:
            continue  # an assignment before the command
        words.append(word)
    return [] if any("$" in word or "`" in word for word in words[:1]) else words


def _is_path(word: str) -> bool:
    return "$" not in word and "`" not in word and ("/" in word or Path(word).suffix in (".sh", ".py", ".js", ".rb"))


def _at(root: Path, name: str) -> Path:
    return root / Path(name).expanduser()


# --- sandbox ------------------------------------------------------------------------------------------------


def _sandbox(settings: Settings, places: Places, root: Path) -> Iterator[Finding]:
    wanted = sandbox_wrap(settings, Workspace(root=root, cwd=root, home=places.home), places)
    if isinstance(wanted, SandboxUnavailable):
        source = settings.origin("sandbox", "enabled")
        yield bad("sandbox", wanted.reason, "install bubblewrap", str(source) if source else "")
    elif wanted is not None:
        limits = f", but {'; '.join(wanted.limits)}" if wanted.limits else ""
        yield ok("sandbox", f"commands run in {wanted.kind}{limits}")
    elif program := shutil.which("bwrap"):
        problem = bubblewrap_problem(program)
        text = f"bubblewrap is there but does not work here: {problem}" if problem else "not switched on"
        todo = "" if problem else '"sandbox": {"enabled": true} in your settings keeps commands inside the project'
        yield note("sandbox", text, todo)
    else:
        yield note("sandbox", "not switched on, and bubblewrap is not installed", "install bubblewrap to have one")
