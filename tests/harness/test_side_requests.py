"""What the model is asked beside the conversation belongs to the session's cost, wherever that is told."""

import pytest

from rein_tui.cli.print_records import Records
from rein_tui.commands.story import cost_rows
from rein_tui.harness.protocol.errors import ProviderError
from rein_tui.harness.protocol.events import SideAnswered, TurnFinished
from rein_tui.harness.protocol.messages import Usage
from rein_tui.harness.providers.scripted import ScriptedProvider, Step
from rein_tui.harness.store.summary import SessionSummary
from rein_tui.harness.turn.side_requests import ask
from rein_tui.widgets.status_figures import Figures
from tests.fakes.engines import rig


async def test_what_is_asked_beside_is_told_and_costs() -> None:
    usage = Usage(input_tokens=100, output_tokens=10, cost_usd=0.25)
    made = rig(
        ScriptedProvider([Step(text="A title", usage=usage), Step(text="cut", stop_reason="incomplete", usage=usage)])
    )
    made.parts.tell_aside = made.session.tell_aside
    assert await ask(made.parts, "A title, please", purpose="title") == "A title"
    with pytest.raises(ProviderError):
        await ask(made.parts, "a page", purpose="page")
    facts = made.session.history()
    assert [fact.purpose for fact in facts if isinstance(fact, SideAnswered)] == ["title", "page"]
    assert made.session.info.cost_usd == 0.5
    row, shown = SessionSummary(id="s"), Figures()
    row.apply_all(facts)
    for fact in facts:
        shown.fold(fact)
    assert (row.info.cost_usd, shown.cost) == (0.5, 0.5)
    rows = dict(cost_rows(facts))
    assert (rows["requests"], rows["titles"]) == ("2", "110 tokens in 1 of these requests, $0.25")
    assert made.session.conversation().messages() == ()


def test_the_result_of_a_turn_holds_what_was_asked_beside_it_once() -> None:
    records = Records("s")
    records.count(SideAnswered(purpose="summary", model="m", usage=Usage(input_tokens=5, cost_usd=0.5)))
    end = TurnFinished(usage=Usage(cost_usd=0.25))
    assert records.result(end)["total_cost_usd"] == 0.75
    assert records.result(end)["total_cost_usd"] == 0.25
