"""Which model answers after a start: flags, then named models, then what was chosen last, then what is there."""

import pytest

from rein_tui.cli.options import parse_options
from rein_tui.cli.wanted import choice_of
from rein_tui.harness.places import Places
from rein_tui.harness.protocol.errors import StartError
from rein_tui.harness.protocol.workbench import ModelChoice
from rein_tui.harness.wiring.choices import remember

LOCAL = ModelChoice(kind="local", model="qwen3:8b", url="http://localhost:11434/v1")
CLAUDE = ModelChoice(kind="anthropic", model="claude-opus-5")
KEY = {"ANTHROPIC_API_KEY": "sk"}


def chosen(places: Places, flags: str = "", **environment: str) -> ModelChoice | None:
    return choice_of(parse_options(flags.split()), environment, places)


def test_without_an_earlier_choice_the_environment_decides(places: Places) -> None:
    assert chosen(places) is None
    assert chosen(places, **KEY) == ModelChoice(kind="anthropic")
    assert chosen(places, LOCAL_LLM_MODEL="m") == ModelChoice(kind="local")


@pytest.mark.parametrize("kept", [LOCAL, CLAUDE], ids=["local", "claude"])
def test_a_key_that_is_merely_there_does_not_undo_a_choice(places: Places, kept: ModelChoice) -> None:
    remember(places, kept)
    assert chosen(places) == kept
    assert chosen(places, **KEY) == kept
    assert chosen(places, ANTHROPIC_BASE_URL="https://gateway") == kept
    assert chosen(places, LOCAL_LLM_URL="http://localhost:11434/") == kept


def test_flags_and_named_models_go_before_the_choice(places: Places) -> None:
    remember(places, LOCAL)
    assert chosen(places, "--model claude-x", **KEY) == ModelChoice(kind="anthropic", model="claude-x")
    assert chosen(places, CLAUDE_MODEL="claude-y", **KEY) == ModelChoice(kind="anthropic")
    assert chosen(places, CLAUDE_MODEL="claude-y") == LOCAL  # nobody could answer there
    assert chosen(places, LOCAL_LLM_MODEL="other") == ModelChoice(kind="local")
    assert chosen(places, LOCAL_LLM_URL="http://localhost:8080/v1") == ModelChoice(kind="local")
    remember(places, CLAUDE)
    assert chosen(places, "--local", **KEY) == ModelChoice(kind="local")
    assert chosen(places, CLAUDE_MODEL="claude-y") == ModelChoice(kind="anthropic")


def test_how_tools_travel_is_a_flag_of_this_start(places: Places) -> None:
    remember(places, LOCAL)
    found = chosen(places, "--prompt-tools", **KEY)
    assert found is not None
    assert (found.model, found.tools) == ("qwen3:8b", "text")


@pytest.mark.parametrize(
    "url", ["notaurl", "ftp://here/v1", "http://", "http://:80", "http://127.0.0.1:99999", "http://[::1"]
)
def test_an_address_that_is_none_is_refused_at_the_start(places: Places, url: str) -> None:
    with pytest.raises(StartError) as raised:
        chosen(places, f"--local-url {url}")
    assert raised.value.where == url
