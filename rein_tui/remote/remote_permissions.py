"""The rules of a session elsewhere: ports.Permissions over a link."""

from rein_tui.harness.protocol.decisions import Outcome, PermissionQuery, Rule, Scope
from rein_tui.harness.protocol.errors import ReinError
from rein_tui.harness.protocol.policy import CallCheck, PolicyOverview, RuleCheck, RuleFinding, RuleWish, ScopePlace

from .link import Link
from .wire import requests as ask


class RemotePermissions:
    """ports.Permissions elsewhere."""

    def __init__(self, link: Link, session: str) -> None:
        self._link = link
        self._session = session

    async def overview(self) -> PolicyOverview:
        """See ports.Permissions."""
        return await self._link.ask(ask.PolicyOverviewWanted(session=self._session), PolicyOverview)

    async def places(self) -> tuple[ScopePlace, ...]:
        """See ports.Permissions."""
        return await self._link.ask(ask.PolicyPlaces(session=self._session), tuple[ScopePlace, ...])

    async def lint(self) -> tuple[RuleFinding, ...]:
        """See ports.Permissions."""
        return await self._link.ask(ask.PolicyLint(session=self._session), tuple[RuleFinding, ...])

    async def check(self, query: PermissionQuery) -> CallCheck:
        """See ports.Permissions."""
        return await self._checked(ask.PolicyCheck(session=self._session, query=query), query.tool)

    async def check_text(self, text: str) -> CallCheck:
        """See ports.Permissions."""
        return await self._checked(ask.PolicyCheckText(session=self._session, text=text), "")

    async def _checked(self, request: ask.PolicyCheck | ask.PolicyCheckText, tool: str) -> CallCheck:
        try:
            return await self._link.ask(request, CallCheck)
        except ReinError as error:
            return CallCheck(tool=tool, input={}, problem=error.message)

    async def try_rules(self, wish: RuleWish, query: PermissionQuery | None = None) -> RuleCheck:
        """See ports.Permissions."""
        try:
            return await self._link.ask(ask.PolicyTry(session=self._session, wish=wish, query=query), RuleCheck)
        except ReinError as error:
            return RuleCheck(problem=error.message)

    async def add(self, rule: str, behavior: Outcome, scope: Scope) -> Rule:
        """See ports.Permissions."""
        request = ask.PolicyAdd(session=self._session, rule=rule, behavior=behavior, scope=scope)
        return await self._link.ask(request, Rule)

    async def revoke(self, rule: Rule) -> bool:
        """See ports.Permissions."""
        return await self._link.ask(ask.PolicyRevoke(session=self._session, rule=rule), bool)
