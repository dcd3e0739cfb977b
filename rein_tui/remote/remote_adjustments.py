"""What can be changed about a session elsewhere while it lives: ports.Adjustments over a link."""

from pathlib import Path

from rein_tui.harness.protocol.events import SourceKind
from rein_tui.harness.protocol.ports import AsideAnswer

from .link import Link
from .wire import adjust_requests as ask


class RemoteAdjustments:
    """ports.Adjustments elsewhere; folders are those of the machine where the session runs."""

    def __init__(self, link: Link, session: str) -> None:
        self._link = link
        self._session = session

    async def add_folder(self, folder: Path) -> None:
        """See ports.Adjustments."""
        await self._link.ask(ask.AddFolder(session=self._session, folder=str(folder)), object)

    async def change_folder(self, folder: Path) -> Path:
        """See ports.Adjustments."""
        return Path(await self._link.ask(ask.ChangeFolder(session=self._session, folder=str(folder)), str))

    async def ask_aside(self, question: str) -> AsideAnswer:
        """See ports.Adjustments."""
        return await self._link.ask(ask.AskAside(session=self._session, question=question), AsideAnswer)

    async def switch_source(self, kind: SourceKind, name: str, on: bool) -> None:
        """See ports.Adjustments."""
        await self._link.ask(ask.SwitchSource(session=self._session, kind=kind, name=name, on=on), object)

    async def stop_work(self, work_id: str) -> bool:
        """See ports.Adjustments."""
        return await self._link.ask(ask.StopWork(session=self._session, work=work_id), bool)
