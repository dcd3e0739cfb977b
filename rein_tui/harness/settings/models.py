"""What settings say about models: which may be chosen, and which stand in for one that does not answer.

Knows no server. An entry of `availableModels` is a family (`opus`), the beginning of a version (`opus-4-5`) or a
whole id; families and versions mean Claude models only.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rein_tui.harness.protocol.errors import ConfigError

from .layers import Settings
from .shapes import is_list

MOST_FALLBACKS = 3

_CLAUDE = re.compile(r"(?:^|[./:])claude-")


@dataclass(frozen=True, slots=True)
class ModelRules:
    """What holds for one session. `allowed` None means any model; `where` is the file and line that says so.

    `binds_default` says that the model nobody chose must be allowed as well.
    """

    allowed: tuple[str, ...] | None = None
    where: str = ""
    binds_default: bool = False
    fallbacks: tuple[str, ...] = ()

    def allows(self, model: str, default: str = "") -> bool:
        """Whether this model may be used; `default` is the one that is used when nobody chooses."""
        if self.allowed is None or (model and model == default and not self.binds_default):
            return True
        return any(fits(entry, model) for entry in self.allowed)

    def refusal(self, model: str) -> ConfigError:
        """Why this model cannot be chosen."""
        names = ", ".join(self.allowed or ()) or "none but the default one"
        return ConfigError(f"availableModels does not allow {model}", where=self.where, hint=f"allowed: {names}")


def model_rules(settings: Settings) -> ModelRules:
    """The rules that settings make."""
    names: Any = settings.merged("fallbackModel")
    fallbacks = tuple(dict.fromkeys(names))[:MOST_FALLBACKS] if is_list(names) else ()
    allowed: Any = settings.merged("availableModels")
    if not is_list(allowed):
        return ModelRules(fallbacks=fallbacks)
    layers = settings.layers_of("managed") if settings.managed("availableModels") is not None else settings.layers
    source = next(layer.source("availableModels") for layer in layers if layer.value("availableModels") is not None)
    binds = bool(allowed) and settings.get("enforceAvailableModels", default=False) is True
    return ModelRules(tuple(allowed), str(source), binds, fallbacks)


def fits(entry: str, model: str) -> bool:
    """Whether an entry of an allow-list means this model."""
    wanted, name = _plain(entry), _plain(model)
    if not wanted or not name:
        return False
    if wanted == name:
        return True
    found = _CLAUDE.search(name)
    if found is None:
        return False
    version = name[found.end() :]
    wanted = wanted.removeprefix("claude-")
    return f"{version}-".startswith(f"{wanted}-") or (wanted.isalpha() and wanted in version.split("-"))


def own_environment(settings: Settings, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables as the person and the administrator set them; no project says where requests go, with which key."""
    own = dict(environment)
    for layer in reversed(settings.layers_of("managed", "command_line", "user")):
        values: Mapping[str, object] = layer.data.get("env") or {}
        own.update({name: str(value) for name, value in values.items()})
    return own


def _plain(name: str) -> str:
    """The name without the wish for a wider window (`opus[1m]`)."""
    return name.partition("[")[0].strip().lower()
