"""The permission rules that settings, flags and grants add up to, highest layer first."""

from collections.abc import Iterable
from pathlib import Path

from rein_tui.harness.protocol.decisions import Rule, Source
from rein_tui.harness.protocol.events import Notice
from rein_tui.harness.settings.layers import Settings, SettingsLayer

from .book import BEHAVIORS
from .rules import ParsedRule, read_rules


def written_rules(settings: Settings) -> list[Rule]:
    """Every permission rule of the settings as written, with its place."""
    return [rule for layer in settings.layers for rule in layer_rules(layer)]


def layer_rules(layer: SettingsLayer) -> Iterable[Rule]:
    """The rules of one layer, as written."""
    for behavior in BEHAVIORS:
        texts: list[str] = layer.value("permissions", behavior) or []
        for index, text in enumerate(texts):
            yield Rule(text=text, behavior=behavior, source=layer.source("permissions", behavior, index))


def flag_rules(allow: Iterable[str], deny: Iterable[str]) -> list[Rule]:
    """Rules of --allowedTools and --disallowedTools."""
    source = Source(layer="command_line")
    rules = [Rule(text=text, behavior="deny", source=source) for text in deny]
    return rules + [Rule(text=text, behavior="allow", source=source) for text in allow]


def rules_in_force(settings: Settings, more: Iterable[Rule] = ()) -> tuple[list[ParsedRule], list[Notice]]:
    """All rules understood, and what a person should know about them.

    Where only the administrator's rules count, others may still forbid, but not allow.
    """
    parsed, notices = read_rules((*written_rules(settings), *more))
    if settings.get("allowManagedPermissionRulesOnly", default=False):
        parsed = [rule for rule in parsed if rule.rule.source.layer == "managed" or rule.behavior != "allow"]
    return parsed, notices


def bases(settings: Settings, root: str) -> dict[str, str]:
    """For every settings file the folder that a rule's leading `/` means; `root` for rules in no file."""
    return {"": root} | {layer.path: layer.base for layer in settings.layers}


def additional_directories(settings: Settings, home: str) -> list[str]:
    """Absolute working directories that the settings add."""
    found: list[str] = []
    for layer in settings.layers:
        folders: list[str] = layer.value("permissions", "additionalDirectories") or []
        for text in folders:
            path = home + text[1:] if text == "~" or text.startswith("~/") else text
            if "\x00" not in path:
                found.append(str(Path(layer.base) / path))
    return list(dict.fromkeys(found))
