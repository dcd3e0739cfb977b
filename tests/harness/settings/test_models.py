"""What availableModels means, and how the keys about models merge and fail."""

from pathlib import Path
from typing import Any

import pytest

from rein_tui.harness.places import Places
from rein_tui.harness.protocol.decisions import Layer
from rein_tui.harness.settings.load import assemble, layer_from_data
from rein_tui.harness.settings.models import ModelRules, fits, model_rules


@pytest.mark.parametrize(
    ("entry", "model", "is_meant"),
    [
        ("opus", "claude-opus-5-5", True),
        ("Opus", "claude-3-opus-20240229", True),
        ("opus[1m]", "us.anthropic.claude-opus-4-5-v1:0", True),
        ("opus-4-5", "claude-opus-4-5-20251101", True),
        ("claude-opus-4-5", "anthropic/claude-opus-4-5", True),
        ("opus-4-5", "claude-opus-4-50", False),
        ("opus-4-5", "claude-opus-5-5", False),
        ("opus", "my-opus-7b", False),
        ("qwen3:8b", "qwen3:8b", True),
        ("qwen3", "qwen3:8b", False),
        ("", "claude-opus-5-5", False),
        ("claude-", "claude-opus-5-5", False),
        ("*", "claude-opus-5-5", False),
    ],
)
def test_entries(entry: str, model: str, is_meant: bool) -> None:
    assert fits(entry, model) is is_meant


def rules(**layers: dict[str, Any]) -> ModelRules:
    names: dict[str, Layer] = {"managed": "managed", "local": "local", "project": "project", "user": "user"}
    built = [layer_from_data(names[name], f"/{name}.json", data, "/")[0] for name, data in layers.items()]
    return model_rules(assemble(built, (), {}, True))


def test_lists_join_and_an_administrators_list_stands_alone() -> None:
    ours = {"availableModels": ["haiku"]}
    assert rules(project={"availableModels": ["opus"]}, user=ours).allowed == ("opus", "haiku")
    found = rules(managed={"availableModels": ["sonnet"]}, project={"availableModels": ["opus"]}, user=ours)
    assert found.allowed == ("sonnet",) and "/managed.json" in found.where
    assert rules(user={}).allowed is None


def test_an_administrators_bad_values_allow_nothing_but_the_default() -> None:
    found = rules(managed={"availableModels": 5, "enforceAvailableModels": "yes"}, user={"availableModels": ["opus"]})
    assert found.allowed == () and not found.allows("claude-opus-5-5")
    assert found.allows("claude-sonnet-5-5", "claude-sonnet-5-5")
    bound = rules(managed={"availableModels": ["opus"], "enforceAvailableModels": "yes"})
    assert not bound.allows("claude-sonnet-5-5", "claude-sonnet-5-5")
    ignored = rules(user={"availableModels": ["opus"], "enforceAvailableModels": True})
    assert ignored.allows("claude-sonnet-5-5", "claude-sonnet-5-5")  # only an administrator binds the default


def test_the_highest_fallback_counts_as_a_whole() -> None:
    project = {"fallbackModel": "only"}
    assert rules(project=project, user={"fallbackModel": ["a", "b"]}).fallbacks == ("only",)
    assert rules(user={"fallbackModel": ["a", 1, "b", "a", "c", "d"]}).fallbacks == ("a", "b", "c")
    assert rules(user={"fallbackModel": {"a": 1}}).fallbacks == ()


def test_bad_overrides_are_left_out_one_by_one(places: Places, tmp_path: Path) -> None:
    data = {"modelOverrides": {"claude-a": "arn:a", "claude-b": 5, "claude-c": "", "claude-d": None}}
    layer, notices, broken = layer_from_data("user", str(places.user_settings), data, str(tmp_path))
    assert layer.data["modelOverrides"] == {"claude-a": "arn:a"} and not broken
    assert len(notices) == 2
