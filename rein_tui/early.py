"""What the person sends before a session is open: it waits in sight, and is sent when one opens."""

from collections.abc import Awaitable, Callable

from rein_tui.widgets.composer import Composer


class Early:
    """The line of those prompts; it goes back into the prompt when no session opens."""

    def __init__(self, composer: Callable[[], Composer]) -> None:
        self._composer = composer
        self._sent: list[Composer.Submitted] = []

    def keep(self, sent: Composer.Submitted) -> None:
        """Let this wait for a session."""
        self._sent.append(sent)
        self._show()

    def take_back(self) -> str | None:
        """Take the last one out of the line; returns how it stood in the prompt."""
        raw = self._sent.pop().raw if self._sent else None
        self._show()
        return raw

    def drop(self) -> None:
        """Forget all of it."""
        self._sent.clear()
        self._show()

    async def send(self, submit: Callable[[Composer.Submitted], Awaitable[None]]) -> None:
        """A session is open: send all of it in order."""
        sent, self._sent = self._sent, []
        if sent:
            self._show()
        for each in sent:
            await submit(each)

    def give_back(self) -> None:
        """No session opens: what waited stands in the prompt again, before what was typed since."""
        if not self._sent:
            return
        sent, self._sent = self._sent, []
        composer = self._composer()
        composer.text = "\n".join([*(each.raw for each in sent), *filter(None, [composer.text])])
        self._show()

    def _show(self) -> None:
        self._composer().show_queue([each.raw for each in self._sent], paused=False)
