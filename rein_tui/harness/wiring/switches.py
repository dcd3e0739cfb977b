"""What settings and the environment say about hooks and thinking, read for the parts that need it."""

from collections.abc import Mapping
from functools import partial

from ..hooks.config import parse_hooks
from ..hooks.context import HookSwitches
from ..plugins.finding import managed_plugins
from ..protocol.decisions import Source
from ..protocol.events import Notice
from ..protocol.hooks import HookSpec
from ..settings.layers import Settings, SettingsLayer


def hook_specs(settings: Settings) -> tuple[list[HookSpec], list[Notice]]:
    """The hooks of all settings files, and what is wrong with them."""
    specs: list[HookSpec] = []
    problems: list[Notice] = []
    for layer in settings.layers:
        if (data := layer.data.get("hooks")) is not None:
            found, notices = parse_hooks(data, partial(_hook_source, layer))
            specs += found
            problems += notices
    return specs, problems


def hook_switches(settings: Settings) -> HookSwitches:
    """What settings say about hooks as a whole."""
    urls, names = settings.merged("allowedHttpHookUrls"), settings.merged("httpHookAllowedEnvVars")
    return HookSwitches(
        disable_all=bool(settings.get("disableAllHooks", default=False)),
        disable_managed=bool(settings.managed("disableAllHooks")),
        managed_only=bool(settings.get("allowManagedHooksOnly", default=False)),
        managed_plugins=managed_plugins(settings),
        allowed_http_urls=None if urls is None else tuple(urls),
        http_env_vars=None if names is None else tuple(names),
    )


def effort_of(settings: Settings) -> str:
    """How hard the model tries as settings say; empty leaves it to the model."""
    return settings.get("effortLevel", default="")


def thinks(settings: Settings, environment: Mapping[str, str]) -> bool:
    """Whether a model that can think before it answers does: it does, unless that was turned off."""
    environment = {**environment, **(settings.merged("env") or {})}
    return environment.get("MAX_THINKING_TOKENS") != "0" and settings.get("alwaysThinkingEnabled", default=True)


def stop_hook_cap(environment: Mapping[str, str]) -> int:
    """How often in a row Stop hooks may send the model on."""
    wanted = environment.get("CLAUDE_CODE_STOP_HOOK_BLOCK_CAP", "")
    return int(wanted) if wanted.isdecimal() else 8


def _hook_source(layer: SettingsLayer, pointer: tuple[str | int, ...]) -> Source:
    return layer.source("hooks", *pointer)
