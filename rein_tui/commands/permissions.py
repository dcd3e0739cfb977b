"""Commands about what may be done: the rules in force, and what they would decide."""

from typing import TYPE_CHECKING

from .registry import Command

if TYPE_CHECKING:
    from rein_tui.app import ReinApp


async def _show(app: "ReinApp", trying: str, *, tests_first: bool) -> None:
    from rein_tui.widgets.policy_screen import PolicyScreen

    turns = app.desk.current
    permissions = turns.harness.permissions if turns is not None else None
    if permissions is None:
        app.hint("there are no rules here to look at")
        return
    await app.ask(PolicyScreen(permissions, trying=trying, tests_first=tests_first or bool(trying)))


async def _permissions(app: "ReinApp", argument: str) -> None:
    await _show(app, argument, tests_first=False)


async def _policy(app: "ReinApp", argument: str) -> None:
    await _show(app, argument, tests_first=True)


COMMANDS = (
    Command(
        "permissions",
        "Every rule in force, who gave it, and taking it back",
        _permissions,
        aliases=("allowed-tools", "rules"),
        family="model",
    ),
    Command("policy", "Try a call on the rules: the decision, and why", _policy, argument="[call]", family="model"),
)
