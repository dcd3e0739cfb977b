"""How the app begins, after its first paint: settle what can wait, open a session, send what was typed meanwhile."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rein_tui.early import Early
from rein_tui.harness.processes.environment import collect_garbage
from rein_tui.harness.protocol.errors import ReinError
from rein_tui.harness.protocol.events import Notice
from rein_tui.harness.protocol.ports import Prompt

if TYPE_CHECKING:
    from rein_tui.app import ReinApp


class Beginning:
    """One start; `is_going_on` until it is known whether a session opens.

    `open_id` is the session asked for, empty for a new one; `prompt` is sent in it. `notices` are told first.
    """

    def __init__(self, app: "ReinApp", *, open_id: str, prompt: str, notices: Sequence[Notice]) -> None:
        self.is_going_on = True
        self.early = Early(lambda: app.main.composer)
        self.prompt = prompt
        self.notices = list(notices)
        self._app = app
        self._open_id = open_id

    async def begin(self) -> None:
        """Everything that can wait for the first paint, then the session, or the welcome screen."""
        app = self._app
        collect_garbage()
        await app.main.composer.history.load()
        app.main.composer.set_vim(app.preferences.vim)
        if not app.preferences.mouse:
            app.set_mouse(False)
        try:
            await app.workbench.prepare()
        except ReinError as error:
            await app.report(error)
            self._give_up()
            return
        app.register_file_commands()
        if app.workbench.choice is None and not self._open_id:
            self._give_up()
            app.run_command("welcome")
        else:
            await app.begin_session()

    async def open_session(self) -> None:
        """Open the session asked for at start, or a new one, and send the prompt given at start."""
        app = self._app
        self.is_going_on = True
        opened = await self._open_asked_for()
        await self.tell()
        app.register_file_commands()
        app.files.warm()
        prompt, self.prompt = self.prompt, ""
        if opened and prompt and app.desk.current is not None:
            app.desk.current.submit(Prompt(text=prompt), prompt)
        if app.desk.current is None:
            self._give_up()
        else:
            await self.early.send(app.submit)

    async def tell(self) -> None:
        """Say what the start has to say, once."""
        notices, self.notices = self.notices, []
        for notice in notices:
            await self._app.main.apply(notice)

    async def _open_asked_for(self) -> bool:
        """The session asked for; where it cannot be opened a new one, which says why."""
        desk = self._app.desk
        try:
            await desk.bring(self._open_id)
        except ReinError as error:
            opened = bool(self._open_id) and await desk.open()
            await self._app.report(error)
            return opened
        return True

    def _give_up(self) -> None:
        self.is_going_on = False
        self.early.give_back()
