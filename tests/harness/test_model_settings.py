"""Settings about models in the assembled house: who may be chosen, who stands in, under which name one is asked for."""

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from rein_tui.harness.places import Places
from rein_tui.harness.protocol import events as ev
from rein_tui.harness.protocol.errors import ConfigError, ProviderError, StartError
from rein_tui.harness.protocol.messages import TextBlock, ToolUseBlock
from rein_tui.harness.protocol.ports import Harness, Prompt
from rein_tui.harness.protocol.workbench import ModelChoice
from rein_tui.harness.wiring.build import LocalWorkbench, open_workbench
from rein_tui.harness.wiring.wishes import Wishes
from tests.fakes.engines import ScriptedPerson
from tests.fakes.local_servers import VLLM, site
from tests.fakes.model_server import ModelServer, Op, Seen, answer, model_server
from tests.fakes.streams import anthropic_stream

MODELS = ("claude-opus-5-5", "claude-sonnet-5-5", "claude-haiku-5-5")
BUSY = answer('{"type":"error","error":{"type":"overloaded_error","message":"busy"}}', "application/json", 529)
SURELY_BUSY = [{**BUSY[0], "headers": {**BUSY[0]["headers"], "x-should-retry": "false"}}, *BUSY[1:]]


class Claude:
    """Lists three models; those in `failing` answer with these operations."""

    def __init__(self, failing: dict[str, list[Op]] | None = None, list_status: int = 200) -> None:
        self.failing = failing or {}
        self.list_status = list_status
        self.asked: list[str] = []

    def __call__(self, seen: Seen) -> list[Op]:
        if seen.method == "GET" and self.list_status != 200:
            return answer('{"error": {"message": "no such page"}}', "application/json", self.list_status)
        if seen.method == "GET":
            data = [{"id": name, "display_name": name, "type": "model"} for name in MODELS]
            return answer(json.dumps({"data": data, "has_more": False}), "application/json")
        model: str = seen.json()["model"]
        self.asked.append(model)
        return self.failing.get(model) or answer(anthropic_stream((TextBlock(text=f"I am {model}."),)).decode())


@asynccontextmanager
async def house(
    places: Places, root: Path, claude: Claude, model: str = "", max_steps: int = 0, **settings: Any
) -> AsyncGenerator[LocalWorkbench]:
    places.config.mkdir(parents=True, exist_ok=True)
    places.user_settings.write_text(json.dumps(settings, indent=1))
    server: ModelServer
    async with model_server(route=claude) as server:
        keys = {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": server.url}
        environment = {"HOME": str(places.home), "PATH": "/usr/bin:/bin", **keys}
        wishes = Wishes(root=root, interactive=False, persist=False, max_steps=max_steps)
        choice = ModelChoice(kind="anthropic", model=model)
        bench = open_workbench(places, environment, wishes, ScriptedPerson(), choice)
        try:
            yield bench
        finally:
            await bench.close()


async def said(harness: Harness, text: str = "hi") -> list[ev.Event]:
    return [event async for event in harness.run(Prompt(text=text))]


def notices(events: list[ev.Event]) -> list[ev.Notice]:
    return [event for event in events if isinstance(event, ev.Notice)]


@pytest.mark.parametrize(
    "failure", [SURELY_BUSY, answer('{"error":{"type":"not_found_error"}}', "application/json", 404)]
)
async def test_another_model_stands_in_for_a_turn(places: Places, tmp_path: Path, failure: list[Op]) -> None:
    claude = Claude({"claude-sonnet-5-5": failure, "claude-gone": failure})
    async with house(places, tmp_path, claude, max_steps=1, fallbackModel=["claude-gone", "haiku"]) as bench:
        harness = await bench.open()
        events = await said(harness)
        assert claude.asked == ["claude-sonnet-5-5", "claude-gone", "claude-haiku-5-5"]
        assert [n.code for n in notices(events)].count("fallback_model") == 2
        (finished,) = [e for e in events if isinstance(e, ev.MessageFinished)]
        assert finished.message.text == "I am claude-haiku-5-5."
        assert isinstance(events[-1], ev.TurnFinished) and events[-1].reason == "end_turn"
        claude.failing.clear()
        await said(harness)
        assert claude.asked[-1] == "claude-sonnet-5-5"  # the next turn tries the chosen one again


async def test_nobody_stands_in_for_a_refused_key_or_when_all_fail(places: Places, tmp_path: Path) -> None:
    refused = answer('{"error":{"type":"authentication_error","message":"no"}}', "application/json", 401)
    claude = Claude({"claude-sonnet-5-5": refused})
    async with house(places, tmp_path, claude, fallbackModel=["claude-haiku-5-5"]) as bench:
        harness = await bench.open()
        assert isinstance((await said(harness))[-1], ev.TurnFailed)
        assert claude.asked == ["claude-sonnet-5-5"]
    claude = Claude(dict.fromkeys(MODELS, SURELY_BUSY))
    async with house(places, tmp_path, claude, fallbackModel="claude-haiku-5-5") as bench:
        harness = await bench.open()
        assert isinstance((await said(harness))[-1], ev.TurnFailed)
        assert claude.asked == ["claude-sonnet-5-5", "claude-haiku-5-5"]


async def test_only_allowed_models_can_be_chosen(places: Places, tmp_path: Path) -> None:
    claude = Claude()
    async with house(places, tmp_path, claude, model="claude-opus-5-5", availableModels=["haiku"]) as bench:
        harness = await bench.open()
        events = await said(harness)
        (told,) = [n for n in notices(events) if n.code == "model_not_allowed"]
        assert "claude-opus-5-5" in told.text and f"{places.user_settings}:2" in told.where
        assert claude.asked == ["claude-sonnet-5-5"]  # the default is always there
        assert {info.id for info in await bench.models()} == {"claude-sonnet-5-5", "claude-haiku-5-5"}
        with pytest.raises(ConfigError) as caught:
            await bench.choose(ModelChoice(kind="anthropic", model="claude-opus-5-5"))
        assert f"{places.user_settings}:2" in caught.value.where and "availableModels" in caught.value.message
        await bench.choose(ModelChoice(kind="anthropic", model="claude-haiku-5-5"))
        await said(harness)
        assert claude.asked[-1] == "claude-haiku-5-5"


async def test_an_administrator_binds_the_default_as_well(places: Places, tmp_path: Path) -> None:
    places.managed.mkdir(parents=True)
    policy = {"availableModels": ["opus"], "enforceAvailableModels": True}
    (places.managed / "managed-settings.json").write_text(json.dumps(policy))
    claude = Claude()
    async with house(places, tmp_path, claude, availableModels=["sonnet"]) as bench:
        harness = await bench.open()
        await said(harness)
        assert claude.asked == ["claude-opus-5-5"]
        assert [info.id for info in await bench.models()] == ["claude-opus-5-5"]
    (places.managed / "managed-settings.json").write_text(json.dumps({**policy, "availableModels": ["fable-9"]}))
    async with house(places, tmp_path, Claude()) as bench:
        with pytest.raises(StartError) as caught:
            await bench.open()
        assert "managed-settings.json" in caught.value.where


async def test_what_is_not_allowed_stands_in_for_nobody(places: Places, tmp_path: Path) -> None:
    claude = Claude({"claude-sonnet-5-5": SURELY_BUSY})
    fallbacks = ["claude-opus-5-5", "opus", "haiku"]
    async with house(places, tmp_path, claude, availableModels=["haiku"], fallbackModel=fallbacks) as bench:
        await said(await bench.open())
        assert claude.asked == ["claude-sonnet-5-5", "claude-haiku-5-5"]


async def test_an_agent_whose_model_is_not_allowed_takes_the_sessions(places: Places, tmp_path: Path) -> None:
    wanted = {"description": "look", "prompt": "look", "subagent_type": "Explore", "model": "opus"}
    call = ToolUseBlock(id="call_1", name="Agent", input=wanted)
    claude = Claude({"claude-sonnet-5-5": answer(anthropic_stream((call,)).decode())})
    async with house(places, tmp_path, claude, max_steps=1, availableModels=["haiku"]) as bench:
        harness = await bench.open()
        events = await said(harness)
        assert [e.model for e in events if isinstance(e, ev.AgentStarted)] == ["claude-sonnet-5-5"]
        assert set(claude.asked) == {"claude-sonnet-5-5"}


async def test_a_model_is_asked_for_by_the_name_that_the_server_has(places: Places, tmp_path: Path) -> None:
    claude = Claude()
    overrides = {"claude-sonnet-5-5": "arn:aws:bedrock:x/sonnet"}
    async with house(places, tmp_path, claude, modelOverrides=overrides, availableModels=["sonnet"]) as bench:
        harness = await bench.open()
        await said(harness)
        assert claude.asked == ["arn:aws:bedrock:x/sonnet"]
        assert bench.choice is not None and bench.choice.model == "claude-sonnet-5-5"


@pytest.mark.parametrize("status", [404, 500, 401])
async def test_a_model_can_be_named_where_a_gateway_has_no_list(places: Places, tmp_path: Path, status: int) -> None:
    claude = Claude(list_status=status)
    async with house(places, tmp_path, claude) as bench:
        harness = await bench.open()
        chosen = ModelChoice(kind="anthropic", model="claude-opus-5-5")
        if status == 401:
            with pytest.raises(ProviderError):
                await bench.choose(chosen)
            return
        await bench.choose(chosen)
        await said(harness)
    assert claude.asked[-1:] == ["claude-opus-5-5"]


async def test_servers_in_use_and_used_before_are_found_again(places: Places, tmp_path: Path) -> None:
    """Whoever went over to Claude may want to come back; a server that wants the key of local servers gets it."""

    def route(seen: Seen) -> Sequence[Op]:
        is_known = seen.headers.get("authorization") == "Bearer sk-local"
        return site(VLLM)(seen) if is_known else answer("{}", "application/json", 401)

    async with (
        model_server(route=route) as local,
        house(places, tmp_path, Claude(), env={"LOCAL_LLM_API_KEY": "sk-local"}) as bench,
    ):
        await bench.open()
        await bench.choose(ModelChoice(kind="local", model="m", url=local.url))
        await bench.choose(ModelChoice(kind="anthropic", model="claude-opus-5-5"))
        assert local.url in [server.url for server in await bench.find_servers()]


async def test_a_server_named_by_its_address_alone_answers_with_a_model_that_it_has(
    places: Places, tmp_path: Path
) -> None:
    async with model_server(route=site(VLLM)) as local, house(places, tmp_path, Claude()) as bench:
        await bench.open()
        await bench.choose(ModelChoice(kind="local", url=local.url))
        assert bench.choice is not None
        assert (bench.choice.kind, bench.choice.model) == ("local", "m")
        with pytest.raises(ProviderError, match="no model"):
            await bench.choose(ModelChoice(kind="local", model="other", url=local.url))
