"""What files brought as rows for people: name, a line about it, where it is from, what to know about it."""

from msgspec import structs

from ..protocol.agents import AgentSpec
from ..protocol.workbench import ExtensionRow
from .marketplace import Marketplace, Offer
from .preview import preview_of
from .words import Definition, Plugin, Style


def plugin_row(plugin: Plugin) -> ExtensionRow:
    """A plugin, with everything that it runs."""
    return ExtensionRow(
        kind="plugin",
        name=plugin.id,
        summary=" ".join(plugin.description.split()),
        source=plugin.origin,
        state="broken" if not plugin.loaded else "on" if plugin.enabled else "off",
        where=plugin.root,
        details=tuple(structs.replace(preview_of(plugin), description="").lines()),
    )


def offer_row(marketplace: Marketplace, offer: Offer) -> ExtensionRow:
    """A plugin that a marketplace has and nobody installed."""
    return ExtensionRow(
        kind="plugin",
        name=f"{offer.name}@{marketplace.name}",
        summary=offer.description,
        source=offer.version,
        state="offered",
        where=offer.where,
        details=("not installed: space shows what it brings, and asks",),
    )


def definition_row(defined: Definition) -> ExtensionRow:
    """A command or skill, with what it opens up."""
    details = [f"may call without asking: {rule}" for rule in defined.allowed]
    details += [f"may not call: {rule}" for rule in defined.disallowed]
    details += [f"brings hooks for {event}" for event in defined.hooks]
    details += [] if defined.for_model else ["the model does not see it"]
    details += [] if defined.for_person else ["for the model only"]
    details += [f"about files {', '.join(defined.paths)}"] if defined.paths else []
    details += ["works in a subagent"] if defined.forks else []
    return ExtensionRow(
        kind=defined.kind,
        name=defined.name,
        summary=" ".join(defined.description.split()),
        source=defined.owner.label,
        where=defined.path,
        details=tuple(details),
    )


def agent_row(spec: AgentSpec) -> ExtensionRow:
    """An agent, with its limits."""
    tools = "all tools" if spec.tools is None else f"tools: {', '.join(spec.tools)}"
    details = [tools, *([f"model: {spec.model}"] if spec.model else []), *([f"mode: {spec.mode}"] if spec.mode else [])]
    details += [f"not: {', '.join(spec.disallowed)}"] if spec.disallowed else []
    return ExtensionRow(
        kind="agent",
        name=spec.name,
        summary=" ".join(spec.description.split()),
        source=spec.plugin_id or spec.source.layer,
        where=spec.source.path,
        details=tuple(details),
    )


def style_row(style: Style) -> ExtensionRow:
    """An output style."""
    return ExtensionRow(
        kind="style",
        name=style.name,
        summary=style.description or " ".join(style.text.split()),
        source=style.plugin_id or style.source.layer,
        where=style.path,
    )
