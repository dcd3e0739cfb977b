"""Sentences for people: which rule, from where, did what to which thing."""

from rein_tui.harness.protocol.decisions import Layer, Outcome, Rule, Source

from .spelling import Spellings

MAX_SHOWN = 300
"""Characters of a rule within a sentence."""

_LAYERS: dict[Layer, str] = {
    "managed": "the administrator's settings",
    "user": "your settings",
    "project": "the project's settings",
    "local": "your local settings of this project",
    "command_line": "the command line",
    "frontmatter": "the running command or agent",
    "hook": "a hook",
    "session": "a permission of this session",
    "plugin": "a plugin",
    "builtin": "the built-in rules",
}

_VERBS: dict[Outcome, str] = {"allow": "Allowed", "ask": "Asks", "deny": "Denied"}


def place(source: Source) -> str:
    """Where something is written, in words: "your settings, ~/.claude/settings.json:4"."""
    words = _LAYERS[source.layer]
    return f"{words}, {source}" if source.path else words


def told_by(outcome: Outcome, rule: Rule, subject: str = "") -> str:
    """One sentence naming rule, layer and file:line."""
    about = f" for {subject}" if subject else ""
    text = rule.text if len(rule.text) <= MAX_SHOWN else rule.text[:MAX_SHOWN] + "…"
    return f"{_VERBS[outcome]}{about} by the rule {text} ({place(rule.source)})"


def shown_path(spelled: Spellings) -> str:
    """A path as a person should see it: with the place that it really leads to."""
    if not spelled.given.strip():
        return "the path"
    if spelled.real != spelled.plain:
        return f"{spelled.plain} (leads to {spelled.real})"
    return spelled.plain
