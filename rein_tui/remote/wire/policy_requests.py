"""Requests about the rules of one session."""

from rein_tui.harness.protocol.base import Word
from rein_tui.harness.protocol.decisions import Outcome, PermissionQuery, Rule, Scope
from rein_tui.harness.protocol.policy import RuleWish


class PolicyOverviewWanted(Word, frozen=True, kw_only=True, tag="policy_overview"):
    """All rules in force. Reply: PolicyOverview."""

    session: str


class PolicyPlaces(Word, frozen=True, kw_only=True, tag="policy_places"):
    """Where rules of each scope are kept. Reply: list of ScopePlace."""

    session: str


class PolicyLint(Word, frozen=True, kw_only=True, tag="policy_lint"):
    """What is odd about the rules. Reply: list of RuleFinding."""

    session: str


class PolicyCheck(Word, frozen=True, kw_only=True, tag="policy_check"):
    """What would become of this call. Reply: CallCheck."""

    session: str
    query: PermissionQuery


class PolicyCheckText(Word, frozen=True, kw_only=True, tag="policy_check_text"):
    """The same for a call as people write it. Reply: CallCheck."""

    session: str
    text: str


class PolicyTry(Word, frozen=True, kw_only=True, tag="policy_try"):
    """What these rules would change. Reply: RuleCheck."""

    session: str
    wish: RuleWish
    query: PermissionQuery | None = None


class PolicyAdd(Word, frozen=True, kw_only=True, tag="policy_add"):
    """Let a rule hold from now on; owner only. Reply: Rule."""

    session: str
    rule: str
    behavior: Outcome
    scope: Scope


class PolicyRevoke(Word, frozen=True, kw_only=True, tag="policy_revoke"):
    """Take a rule back; owner only. Reply: boolean."""

    session: str
    rule: Rule
