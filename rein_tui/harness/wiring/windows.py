"""How much fits into the model that is in use."""

import asyncio

from ..turn.parts import Parts


class Windows:
    """The context window of the model in use; asked for in the background, 0 until it is known."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._known: dict[str, int] = {}
        self._asking: asyncio.Task[None] | None = None

    def current(self) -> int:
        """Tokens; 0 when unknown."""
        model = self._parts.model
        if model not in self._known and (self._asking is None or self._asking.done()):
            self._asking = asyncio.create_task(self._ask(model))
        return self._known.get(model, 0)

    async def _ask(self, model: str) -> None:
        self._known[model] = await self._parts.provider.context_window(model)
