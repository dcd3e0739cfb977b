"""Models by the names that frontmatters, calls and settings have for them, as far as settings allow them."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ..protocol.errors import ProviderError
from ..protocol.events import Notice
from ..settings.models import ModelRules
from ..turn.parts import Parts

_FAMILIES = ("opus", "sonnet", "haiku", "best", "opusplan")


@dataclass(frozen=True, slots=True)
class ModelsByName:
    """Finds models of the session's provider. `default` is the one that nobody needs to choose; `tell` hears of a
    name that settings do not allow, and once of one that the server does not have; a family's is nothing to tell.
    """

    parts: Parts
    rules: ModelRules
    default: str
    tell: Callable[[Notice], None]
    _missed: set[str] = field(default_factory=set[str])

    async def find(self, name: str) -> str:
        """The model id that a name means: an id, or a family such as `haiku`; empty where the server has none, and
        where settings allow none of it: then whoever asks inherits the session's model.
        """
        if name in {"", "inherit"}:
            return ""
        try:
            ids = [model.id for model in await self.parts.provider.models()]
        except ProviderError:
            return ""
        meant = [name] if name in ids else [model_id for model_id in ids if f"-{name}-" in f"-{model_id}-"]
        allowed = next((model_id for model_id in meant if self.rules.allows(model_id, self.default)), "")
        if not meant and name not in {*_FAMILIES, *self._missed}:
            self._missed.add(name)
            text = f"The server has no model {name}: {self.parts.model} answers in its place."
            self.tell(Notice(level="warning", text=text, code="model_missing"))
        if meant and not allowed:
            text = f"availableModels does not allow {name}: {self.parts.model} answers in its place."
            self.tell(Notice(level="warning", text=text, where=self.rules.where, code="model_not_allowed"))
        return allowed

    async def fallbacks(self) -> tuple[str, ...]:
        """The models of `fallbackModel` that settings allow, in order; names that the server cannot explain now stay
        as they are.
        """
        found: list[str] = []
        for name in self.rules.fallbacks:
            model = self.default if name == "default" else await self.find(name)
            if not model and name not in _FAMILIES and self.rules.allows(name, self.default):
                model = name
            found += [model] if model else []
        return tuple(dict.fromkeys(found))
