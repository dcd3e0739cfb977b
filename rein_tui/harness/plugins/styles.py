"""Output styles: words at the end of the system prompt that change how the model speaks."""

from collections.abc import Mapping, Sequence

from ..protocol.errors import ConfigError
from ..protocol.events import Notice
from .definitions import body_of
from .words import Owner, Plugin, Style

_BUILT_IN = {
    "Concise": "Answer in as few words as the matter allows. No preamble, no summary of what was just done.",
    "Proactive": (
        "Where the next step is plain, take it without waiting to be asked: fix what you broke, run the tests that "
        "cover a change, follow an error to its cause. Still ask before anything that cannot be undone."
    ),
    "Explanatory": (
        "Teach while you work. Before and after each change, say in two or three points what a reader should learn "
        "from it: why this design, what the codebase does in similar places, what was weighed against it. Speak about "
        "this code, not about programming in general."
    ),
    "Learning": (
        "The person wants to learn by doing. Where a piece of 2 to 10 lines holds a real decision, do not write it: "
        "prepare everything around it, leave a marked place (TODO(human)), say what is to be decided and what speaks "
        "for each way, and wait for them to write it. Explain as you go."
    ),
}

BUILT_IN: dict[str, Style] = {name: Style(name=name, text=text) for name, text in _BUILT_IN.items()}
"""The styles that are always there, beside Default, which adds nothing."""


def chosen_style(
    wanted: str, styles: Mapping[str, Style], plugins: Sequence[Plugin], project: str
) -> tuple[tuple[str, str] | None, list[Notice]]:
    """The style in force as (source, text), and what is wrong. A plugin's forced style holds where none is chosen."""
    known = BUILT_IN | dict(styles)
    forced = next((style for style in styles.values() if style.forced), None)
    if not wanted or wanted.lower() == "default":
        style = forced if not wanted else None
    else:
        style = known.get(wanted) or next((s for n, s in known.items() if n.lower() == wanted.lower()), None)
        if style is None:
            hint = f"There are: {', '.join(['Default', *known])}."
            text = f"there is no output style {wanted!r}"
            return None, [Notice(text=text, level="warning", where="outputStyle", hint=hint, code="output_style")]
    if style is None:
        return None, []
    try:
        text = style.text or body_of(style.path, _owner(style, plugins), project)
    except ConfigError as problem:
        return None, [Notice(text=problem.message, level="warning", where=problem.where, code="output_style")]
    return (f"output style {style.name}", text), []


def _owner(style: Style, plugins: Sequence[Plugin]) -> Owner:
    plugin = next((plugin for plugin in plugins if plugin.id == style.plugin_id), None)
    if plugin is None:
        return Owner(layer=style.source.layer, label=style.source.layer)
    return Owner(layer="plugin", label=plugin.id, plugin=plugin.name, root=plugin.root, data=plugin.data)
