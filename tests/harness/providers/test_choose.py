"""From a choice and its surroundings to a provider, and every way in which that cannot be done."""

from pathlib import Path
from typing import Any

import pytest

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.errors import ConfigError, ProviderError, ReinError, StartError
from rein_tui.harness.protocol.messages import Message, TextBlock, Usage
from rein_tui.harness.protocol.models import ModelRequest
from rein_tui.harness.protocol.workbench import ModelChoice
from rein_tui.harness.providers.anthropic import DEFAULT_MODEL
from rein_tui.harness.providers.base import NO_SECRET, Secret, safe_id
from rein_tui.harness.providers.choose import Surroundings, default_model, make_provider, with_settings
from rein_tui.harness.providers.gguf import read_gguf
from rein_tui.harness.providers.keys import KeyRing, shell_helper
from rein_tui.harness.providers.prices import PRICES, cost, price_of, read_prices
from rein_tui.harness.session import Session
from rein_tui.harness.wiring.build import open_workbench
from rein_tui.harness.wiring.wishes import Wishes
from tests.fakes.engines import ScriptedPerson
from tests.fakes.model_server import answer, model_server

REQUEST = ModelRequest(model="m", system="", messages=(Message(role="user", blocks=(TextBlock(text="hi"),)),))


def around(environment: dict[str, str] | None = None, **settings: Any) -> Surroundings:
    return Surroundings(environment=environment or {}, settings=settings)


def test_claude_needs_a_key_or_its_own_machine() -> None:
    choice = ModelChoice(kind="anthropic")
    with pytest.raises(StartError) as caught:
        make_provider(choice, around())
    assert "ANTHROPIC_API_KEY" in caught.value.hint
    for environment in (
        {"ANTHROPIC_API_KEY": "key-1"},
        {"ANTHROPIC_AUTH_TOKEN": "token-1"},
        {"ANTHROPIC_BASE_URL": "http://127.0.0.1:9"},
    ):
        assert make_provider(choice, around(environment)).name == "anthropic"
    typed = make_provider(choice, around(), api_key=Secret("key-2", "typed"))
    assert "key-2" not in f"{typed.wire(REQUEST)}"


def test_a_token_goes_before_a_key_and_settings_shape_the_request() -> None:
    environment = {"ANTHROPIC_API_KEY": "key-1", "ANTHROPIC_AUTH_TOKEN": "token-1"}
    settings = {"authHeader": "x-api-key", "anthropicVersion": "2023-06-01", "promptCaching": False}
    wire = make_provider(ModelChoice(kind="anthropic"), around(environment, **settings)).wire(REQUEST)
    assert (wire.headers["X-Api-Key"], wire.headers["anthropic-version"]) == ("[key]", "2023-06-01")
    assert "cache_control" not in str(wire.body)


@pytest.mark.parametrize(
    "settings",
    [
        {"authHeader": "cookie"},
        {"anthropicVersion": 3},
        {"promptCaching": "no"},
        {"idleTimeoutSeconds": 0},
        {"idleTimeoutSeconds": True},
        {"prices": {"m": {"input": "cheap", "output": 1}}},
        {"prices": {"m": {"input": 1, "output": 1, "typo": 1}}},
    ],
)
def test_settings_that_make_no_sense_are_named(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as caught:
        make_provider(ModelChoice(kind="anthropic"), around({"ANTHROPIC_API_KEY": "k"}, **settings))
    assert next(iter(settings)) in str(caught.value) or "prices" in str(caught.value)


async def test_local_servers_need_no_key() -> None:
    provider = make_provider(ModelChoice(kind="local"), around())
    assert provider.wire(REQUEST).url == "http://localhost:11434/v1/chat/completions"
    provider = make_provider(ModelChoice(kind="local"), around({"LOCAL_LLM_URL": "http://127.0.0.1:8080"}))
    assert provider.wire(REQUEST).url == "http://127.0.0.1:8080/v1/chat/completions"
    await provider.close()
    for wrong in (around(numCtx="many"), around(contextWindow=True)):
        with pytest.raises(ConfigError):
            make_provider(ModelChoice(kind="local"), wrong)
    with pytest.raises(ConfigError):
        make_provider(ModelChoice(kind="local", url="http://10.0.0.1:80"), around())
    make_provider(ModelChoice(kind="local", url="http://10.0.0.1:80"), around(allowPlainHttp=True))


def test_model_names() -> None:
    assert default_model("anthropic", {}) == "claude-sonnet-5-5"
    assert default_model("anthropic", {"CLAUDE_MODEL": "x"}) == "x"
    assert default_model("local", {}) == "qwen2.5-coder:7b"
    assert default_model("local", {"LOCAL_LLM_MODEL": "y"}) == "y"
    assert default_model("gguf", {}) == ""


@pytest.mark.parametrize(
    ("wanted", "environment", "model"),
    [
        ("claude-x-1", {}, "claude-x-1"),
        ("claude-x-1[1m]", {}, "claude-x-1"),
        ("opus", {"ANTHROPIC_DEFAULT_OPUS_MODEL": "claude-opus-9"}, "claude-opus-9"),
        ("opus", {}, "kept"),
        ("default", {}, "kept"),
        (7, {}, "kept"),
        ("sonnet", {}, DEFAULT_MODEL),
    ],
)
def test_the_model_of_settings(wanted: Any, environment: dict[str, str], model: str) -> None:
    kept = ModelChoice(kind="anthropic", model="kept")
    assert with_settings(kept, {"model": wanted}, environment).model == model
    local = ModelChoice(kind="local", model="kept")
    assert with_settings(local, {"model": wanted}, environment) == local


@pytest.mark.parametrize(("asked", "model"), [("", "claude-of-settings"), ("claude-asked", "claude-asked")])
async def test_a_session_takes_the_model_of_settings(places: Places, tmp_path: Path, asked: str, model: str) -> None:
    places.config.mkdir(parents=True, exist_ok=True)
    places.user_settings.write_text('{"model": "claude-of-settings"}')
    environment = {"HOME": str(places.home), "PATH": "/usr/bin:/bin", "ANTHROPIC_API_KEY": "k"}
    wishes = Wishes(root=tmp_path, interactive=False, persist=False)
    choice = ModelChoice(kind="anthropic", model=asked)
    bench = open_workbench(places, environment, wishes, ScriptedPerson(), choice)
    try:
        harness = await bench.open()
        assert isinstance(harness, Session) and harness.parts.model == model
        assert bench.choice is not None and bench.choice.model == model
    finally:
        await bench.close()


def test_files_that_are_no_models(tmp_path: Path) -> None:
    for name, data in {
        "a.gguf": b"",
        "b.gguf": b"GGUF",
        "c.gguf": b"PK\3\4" * 9,
        "d.gguf": b"GGUF" + b"\xff" * 40,
    }.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ConfigError) as caught:
            read_gguf(tmp_path / name)
        assert caught.value.where == str(tmp_path / name)
    for path in (tmp_path / "none.gguf", tmp_path):
        with pytest.raises(ReinError):
            make_provider(ModelChoice(kind="gguf", path=str(path)), around())


def test_a_demo_plays_its_script(tmp_path: Path) -> None:
    with pytest.raises(StartError):
        make_provider(ModelChoice(kind="demo"), around())
    script = tmp_path / "demo.json"
    script.write_text('{"steps": []}')
    assert make_provider(ModelChoice(kind="demo", path=str(script)), around()).name == "scripted"


def test_secrets_do_not_show() -> None:
    secret = Secret(" sk-very-secret ", source="A")
    assert "very" not in f"{secret!r}{secret}{[secret]}{secret.__slots__}"
    assert (secret.reveal(), bool(secret), bool(NO_SECRET)) == ("sk-very-secret", True, False)
    assert secret.redact("key sk-very-secret!") == "key [key]!"
    assert safe_id("call:1/ü") == "call_1__"


async def test_a_fetched_key_is_kept_for_its_time() -> None:
    now, asked = [0.0], list[int]()

    async def helper() -> str:
        asked.append(1)
        return f"key-{len(asked)}"

    keys = KeyRing(helper=helper, ttl=10, clock=lambda: now[0])
    assert [(await keys.current()).reveal() for _ in range(2)] == ["key-1", "key-1"]
    now[0] = 11
    assert (await keys.current()).reveal() == "key-2"
    keys.forget()
    assert (await keys.current()).reveal() == "key-3"


async def test_a_helper_is_a_command_that_prints_a_key(tmp_path: Path) -> None:
    assert await shell_helper("echo key-1", tmp_path)() == "key-1"
    for command in ("exit 3", "true", "echo a; echo b", "echo no >&2; false"):
        with pytest.raises(ConfigError) as caught:
            await shell_helper(command, tmp_path, where="settings.json:4")()
        assert caught.value.where == "settings.json:4"
    provider = make_provider(
        ModelChoice(kind="anthropic"),
        Surroundings(environment={}, settings={}, key_helper=shell_helper("exit 3", tmp_path)),
    )
    with pytest.raises(ProviderError) as refused:
        await anext(provider.stream(REQUEST))
    assert refused.value.kind == "auth"
    await provider.close()


def test_prices() -> None:
    usage = Usage(input_tokens=1_000_000, output_tokens=100_000, cache_read_tokens=1_000_000)
    assert cost(usage, PRICES["claude-sonnet-5-5"]).cost_usd == pytest.approx(2 + 1 + 0.1)
    assert cost(usage, PRICES["claude-haiku-5-5"]).cost_usd == pytest.approx(5 * (0.1 + 0.05 + 0.01))
    assert cost(usage, None).cost_usd is None
    assert price_of("claude-opus-4-5-20251101") == price_of("anthropic/claude-opus-4-5") == PRICES["claude-opus-4-5"]
    assert price_of("us.anthropic.claude-haiku-4-5-20251001") == PRICES["claude-haiku-4-5"]
    assert price_of("claude-opus-4-9") is None
    mine = read_prices({"qwen": {"input": 0, "output": 0}}, "settings")
    assert cost(usage, price_of("qwen", mine)).cost_usd == 0


@pytest.mark.parametrize("lines", ["no colon", "bad name: x", ": x", "a: \x1b"])
def test_headers_that_make_no_sense_are_named(lines: str) -> None:
    environment = {"ANTHROPIC_API_KEY": "key-1", "ANTHROPIC_CUSTOM_HEADERS": f"X-Fine: 1\n{lines}"}
    with pytest.raises(ConfigError, match="header"):
        make_provider(ModelChoice(kind="anthropic"), around(environment))


async def test_a_local_server_gets_its_own_key_and_never_that_of_claude() -> None:
    async with model_server(route=lambda seen: answer("{}", "application/json", 401)) as fake:
        choice = ModelChoice(kind="local", url=fake.url, model="m")
        for environment, hint in (({}, "set LOCAL_LLM_API_KEY"), ({"LOCAL_LLM_API_KEY": "key-local"}, "was refused")):
            provider = make_provider(choice, around(environment), api_key=Secret("sk-typed", "typed"))
            with pytest.raises(ProviderError) as caught:
                await anext(provider.stream(REQUEST))
            assert (caught.value.kind, hint in caught.value.hint) == ("auth", True), caught.value.hint
            await provider.close()
    sent = {seen.headers.get("authorization", "") for seen in fake.requests}
    assert sent == {"", "Bearer key-local"}
