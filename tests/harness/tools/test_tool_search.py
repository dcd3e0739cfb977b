"""Two hundred tools of servers: they keep within their part of the window, and are found when they are needed."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rein_tui.harness.context.tokens import CHARACTERS_A_TOKEN, size_of_tool
from rein_tui.harness.protocol.agents import AgentSpec
from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.events import Event
from rein_tui.harness.protocol.messages import ToolSpec
from rein_tui.harness.protocol.tools import ToolContext, ToolResult, Workspace
from rein_tui.harness.tools.base import SchemaTool
from rein_tui.harness.tools.deferral import UNKNOWN_WINDOW, share_of_window
from rein_tui.harness.tools.todo import TodoWrite
from rein_tui.harness.tools.tool_search import ToolSearch
from rein_tui.harness.tools.toolbox import Toolbox
from rein_tui.harness.turn.subagents import ToolSubset
from tests.harness.plugins.mcp.house import Person


class ServerTool(SchemaTool):
    """A tool as servers bring them."""

    def __init__(self, name: str, description: str = "", *, can_wait: bool = True) -> None:
        schema: JsonObject = {"type": "object", "properties": {"p": {"type": "string"}}}
        spec = ToolSpec(name=name, description=description, input_schema=schema, source="mcp:" + name.split("__")[1])
        super().__init__(spec, can_wait=can_wait)

    async def run(self, value: JsonObject, context: ToolContext) -> ToolResult:
        return ToolResult(content=self.name)


def filled(count: int, words: str = "Does a thing. " * 20) -> Toolbox:
    return Toolbox([TodoWrite(), *(ServerTool(f"mcp__shop__order_{n}", words) for n in range(count))])


def tokens_of_servers(specs: Sequence[ToolSpec]) -> int:
    return round(sum(size_of_tool(spec) for spec in specs if spec.source != "builtin") / CHARACTERS_A_TOKEN)


def names(box: Toolbox) -> set[str]:
    return {spec.name for spec in box.specs()}


async def search(box: Toolbox, query: str, tmp_path: Path) -> str:
    async def tell(event: Event) -> None:
        raise AssertionError(event)

    tool = box.get("ToolSearch")
    assert isinstance(tool, ToolSearch)
    workspace = Workspace(root=tmp_path, cwd=tmp_path, home=tmp_path)
    result = await tool.run(tool.parse({"query": query}), ToolContext("call", workspace, tell, Person()))
    assert isinstance(result.content, str)
    return result.content


def test_few_tools_all_go_along() -> None:
    box = filled(20)
    assert len(names(box)) == 21
    assert "ToolSearch" not in box
    assert box.held_back() == 0


def test_two_hundred_keep_within_the_budget() -> None:
    box = filled(200)
    assert names(box) == {"TodoWrite", "ToolSearch"}
    assert box.held_back() == 200
    assert 0 < tokens_of_servers(box.specs()) <= UNKNOWN_WINDOW


@given(st.integers(0, 300), st.integers(0, 400_000), st.text(max_size=400))
def test_the_first_request_never_goes_over(count: int, window: int, words: str) -> None:
    box = filled(count, words)
    box.deferral.measure(lambda: window, 0.1)
    if (budget := box.deferral.budget) >= 400:  # room for ToolSearch itself
        assert tokens_of_servers(box.specs()) <= budget


async def test_what_is_found_goes_along_from_then_on(tmp_path: Path) -> None:
    box = filled(200)
    box.add(ServerTool("mcp__post__send_letter", "Puts a letter into the mail. " * 10))
    box.specs()
    assert "mcp__post__send_letter" in await search(box, "mail a letter", tmp_path)
    assert names(box) == {"TodoWrite", "ToolSearch", "mcp__post__send_letter"}
    await search(box, "select:mcp__shop__order_7,order_8", tmp_path)
    assert {"mcp__shop__order_7", "mcp__shop__order_8"} < names(box)
    assert "No tool fits" in await search(box, "zebra", tmp_path)


async def test_what_policy_removed_is_not_found(tmp_path: Path) -> None:
    box = filled(200)
    removed = frozenset({"mcp__shop__order_7"})
    box.specs(removed)
    assert "No tool fits" in await search(box, "select:mcp__shop__order_7", tmp_path)
    assert "mcp__shop__order_7" not in {spec.name for spec in box.specs(removed)}


def test_a_tool_that_waits_can_be_called() -> None:
    box = filled(200)
    box.specs()
    assert box.get("mcp__shop__order_7") is not None


def test_holding_back_does_not_end_within_a_session() -> None:
    box = filled(200)
    box.specs()
    for number in range(190):
        box.remove(f"mcp__shop__order_{number}")
    assert "mcp__shop__order_199" not in names(box)


def test_tools_of_a_server_that_is_always_loaded_do_not_wait() -> None:
    box = filled(200)
    box.add(ServerTool("mcp__post__send", can_wait=False))
    assert "mcp__post__send" in names(box)


def test_an_agent_that_names_its_tools_gets_them() -> None:
    box = filled(200)
    agent = ToolSubset(box, AgentSpec(name="a", description="", tools=("mcp__shop__order_7", "TodoWrite")))
    assert {spec.name for spec in agent.specs()} == {"mcp__shop__order_7", "TodoWrite"}
    free = ToolSubset(box, AgentSpec(name="b", description=""))
    assert {spec.name for spec in free.specs()} == {"ToolSearch", "TodoWrite"}


@pytest.mark.parametrize(
    ("word", "share"),
    [("", 0.1), ("auto", 0.1), ("auto:25", 0.25), ("auto:900", 1.0), ("true", 0.0), ("false", None), ("what", 0.1)],
)
def test_the_share_can_be_set(word: str, share: float | None) -> None:
    assert share_of_window({"ENABLE_TOOL_SEARCH": word}) == share


def test_without_a_limit_all_go_along_and_with_none_of_the_window_none_does() -> None:
    box = filled(200)
    box.deferral.measure(lambda: 200_000, None)
    assert len(names(box)) == 201
    box = filled(2)
    box.deferral.measure(lambda: 200_000, 0.0)
    assert names(box) == {"TodoWrite", "ToolSearch"}
