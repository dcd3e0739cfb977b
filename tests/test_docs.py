"""Pages that are made from the code say what the code does. REIN_UPDATE_GOLDENS=1 writes them anew."""

import os
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

from textual.binding import Binding, BindingType

from rein_tui.app import ReinApp
from rein_tui.commands import builtin_commands
from rein_tui.commands.keys import bound_actions
from rein_tui.harness.settings.inert import WITHOUT_EFFECT
from rein_tui.harness.settings.keys import FILESYSTEM_KEYS, KEYS, NETWORK_KEYS, PERMISSION_KEYS, SANDBOX_KEYS
from rein_tui.keymap import key_name
from rein_tui.preferences import Preferences
from rein_tui.replay.questions import PLAYER
from rein_tui.screen import MainScreen
from rein_tui.widgets.chat import Chat
from rein_tui.widgets.composer.area import PromptArea
from rein_tui.widgets.context_pane import ContextPane
from rein_tui.widgets.hook_log import HookLog
from rein_tui.widgets.inspector import Inspector
from rein_tui.widgets.list_pane import ListPane
from rein_tui.widgets.page import Page
from rein_tui.widgets.permission_modal import PermissionModal
from rein_tui.widgets.permission_modal_frame import CallModal
from rein_tui.widgets.sidebar_list import SessionList
from rein_tui.widgets.surface import Surface
from rein_tui.widgets.timeline import Timeline

DOCS = Path(__file__).parents[1] / "docs"
SOURCES = DOCS.parent / "rein_tui"

PLACES: Sequence[tuple[str, Sequence[BindingType]]] = (
    ("In the prompt", PromptArea.BINDINGS),
    ("In the chat", [*Surface.BINDINGS, *Chat.BINDINGS]),
    ("In a list of the dock", ListPane.BINDINGS),
    ("In details", Page.BINDINGS),
    ("In the inspector", Inspector.BINDINGS),
    ("In the hook log", HookLog.BINDINGS),
    ("In the timeline", Timeline.BINDINGS),
    ("In the context pane", ContextPane.BINDINGS),
    ("In the session list", SessionList.BINDINGS),
    ("In a permission question", [*PermissionModal.BINDINGS, *CallModal.BINDINGS]),
    ("In a replay", PLAYER),
)

_HEAD = """\
# Keys and commands

Made from the code; `F1` shows the keys that are valid where you are. Everything here can be rebound by its name in
`rein-tui-keys.json` in the configuration folder (`~/.claude`), where it has one:

    {"inspector": "f2,ctrl+e", "surface.copy": "y"}

Keys that terminals cannot tell apart are not used: ctrl+i is tab, ctrl+m is enter, ctrl+[ is esc.
"""


def keys_page() -> str:
    """docs/keys.md."""
    parts = [_HEAD, "## Everywhere\n", _table(_rows([*ReinApp.BINDINGS, *MainScreen.BINDINGS]))]
    for title, bindings in PLACES:
        parts += [f"## {title}\n", _table(_rows(bindings))]
    parts += ["## Commands\n", "Also in the palette (`ctrl+p`).\n", _commands()]
    return "\n".join(parts)


def _rows(bindings: Iterable[BindingType]) -> list[tuple[str, str, str]]:
    rows: list[tuple[str, str, str]] = []
    for given in bindings:
        binding = (
            given if isinstance(given, Binding) else Binding(given[0], given[1], given[2] if len(given) > 2 else "")
        )
        if binding.description:
            if binding.description[-1].isdigit():  # Tab 1 … Tab 8 are one row
                first = binding.description[:-1]
                if rows and rows[-1][1].startswith(first):
                    start = rows[-1][0].split(" ")[0]
                    rows[-1] = (f"{start} … `{binding.key}`", f"{first}1 … {binding.description[-1]}", "")
                    continue
            keys = " ".join(f"`{key_name(key)}`" for key in dict.fromkeys(binding.key.split(",")))
            rows.append((keys, binding.description, f"`{binding.id}`" if binding.id else ""))
    return rows


def _table(rows: Sequence[tuple[str, str, str]]) -> str:
    lines = ["| keys | what | name |", "| --- | --- | --- |"]
    lines += [f"| {keys} | {what.replace('|', '∣')} | {name} |" for keys, what, name in rows]
    return "\n".join(lines) + "\n"


def _commands() -> str:
    lines = ["| command | what | key |", "| --- | --- | --- |"]
    for command in builtin_commands():
        usage = f"`/{command.name} {command.argument}".rstrip().replace("|", "∣") + "`"
        aliases = f" (also {', '.join(f'`/{name}`' for name in command.aliases)})" if command.aliases else ""
        key = f"`{key_name(command.key)}`" if command.key else ""
        lines.append(f"| {usage} | {command.summary}{aliases} | {key} |")
    return "\n".join(lines) + "\n"


def check_page(name: str, text: str) -> None:
    """Compare with the page, or write it."""
    path = DOCS / name
    if os.environ.get("REIN_UPDATE_GOLDENS"):
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, f"docs/{name} is out of date: REIN_UPDATE_GOLDENS=1 writes it"


def test_the_page_of_keys_is_up_to_date():
    check_page("keys.md", keys_page())


def test_names_in_the_page_can_be_rebound():
    shown = [*ReinApp.BINDINGS, *MainScreen.BINDINGS, *(binding for _, bindings in PLACES for binding in bindings)]
    assert {b.id for b in shown if isinstance(b, Binding) and b.id} <= bound_actions().keys()


def test_the_page_of_settings_names_every_preference():
    page = (DOCS / "settings.md").read_text(encoding="utf-8")
    missing = [name for name in Preferences.__struct_fields__ if f"`{name}`" not in page]
    assert not missing


def test_links_between_pages_lead_somewhere():
    import re

    root = DOCS.parent
    for page in (root / "README.md", *sorted(DOCS.rglob("*.md"))):
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.relative_to(root)} links to {target}"


def test_every_setting_is_said_to_work_or_not_to_and_that_is_true() -> None:
    page = DOCS / "settings.md"
    text = page.read_text(encoding="utf-8")
    listed = "\n".join(textwrap.wrap(", ".join(f"`{name}`" for name in WITHOUT_EFFECT) + ".", 118))
    assert listed in text, listed
    rest = text.replace(listed, "")
    used = "".join(
        path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.py") if path.name not in ("keys.py", "inert.py")
    )
    groups = {"": KEYS, "permissions.": PERMISSION_KEYS, "sandbox.": SANDBOX_KEYS}
    groups |= {"sandbox.filesystem.": FILESYSTEM_KEYS, "sandbox.network.": NETWORK_KEYS}
    for prefix, keys in groups.items():
        for name in keys:
            if prefix + name not in {*WITHOUT_EFFECT, "$schema"}:
                assert f"`{name}`" in rest, f"docs/settings.md does not say what {prefix}{name} does"
                assert f'"{name}"' in used, f"nothing reads {prefix}{name}"
