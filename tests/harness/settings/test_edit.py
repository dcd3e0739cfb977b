"""Editing one rule leaves everything else as it was."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.settings.edit import add_rule, remove_rule

words = st.sampled_from(["Bash(npm test *)", "Read(//x/**)", 'Bash(echo "]")', "Edit(ü)", "mcp__a"])
lists = st.lists(words, max_size=3, unique=True)
permissions = st.fixed_dictionaries({}, optional={"allow": lists, "deny": lists, "defaultMode": st.just("plan")})
documents = st.fixed_dictionaries({}, optional={"model": st.just("m"), "permissions": permissions, "z": st.just([1])})


@given(documents, words, st.sampled_from([None, 1, 2, 4, "\t"]), st.booleans(), st.booleans())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_add_then_remove(tmp_path: Path, data: Any, rule: str, indent: int | str | None, crlf: bool, bom: bool) -> None:
    path = tmp_path / "settings.json"
    text = json.dumps(data, indent=indent, ensure_ascii=False)
    text = text.replace("\n", "\r\n") if crlf else text
    before = (b"\xef\xbb\xbf" if bom else b"") + text.encode()
    path.write_bytes(before)
    line = add_rule(path, "allow", rule)
    content = path.read_bytes()
    after = json.loads(content.decode("utf-8-sig"))
    old = data.get("permissions", {}).get("allow", [])
    assert after["permissions"]["allow"] == (old if rule in old else [*old, rule])
    assert list(after) == list(data) + ([] if "permissions" in data else ["permissions"])
    assert json.dumps(rule, ensure_ascii=False) in content.decode("utf-8-sig").splitlines()[line - 1]
    assert content.startswith(b"\xef\xbb\xbf") == bom
    if crlf and indent is not None and data:
        assert content.count(b"\n") == content.count(b"\r\n")
    assert remove_rule(path, "allow", rule)
    rest = json.loads(path.read_bytes().decode("utf-8-sig"))
    assert rest["permissions"]["allow"] == [item for item in old if item != rule]
    if old and rule not in old:
        assert path.read_bytes() == before
    assert not remove_rule(path, "allow", rule)


def test_the_layout_of_a_person_stays(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    text = '{\n    "model":"x",\n    "permissions": {\n        "allow": [\n            "A"\n        ]\n    }\n}\n'
    path.write_text(text)
    path.chmod(0o600)
    assert add_rule(path, "allow", "B") == 6
    assert path.read_text() == text.replace('"A"', '"A",\n            "B"')
    assert path.stat().st_mode & 0o777 == 0o600
    assert add_rule(path, "deny", "C") == 9
    assert json.loads(path.read_text())["permissions"] == {"allow": ["A", "B"], "deny": ["C"]}


def test_a_new_file_and_links(tmp_path: Path) -> None:
    path = tmp_path / "new" / ".claude" / "settings.json"
    assert add_rule(path, "ask", "Bash") == 4
    real = tmp_path / "dotfiles.json"
    real.write_text("{}")
    link = tmp_path / "link.json"
    link.symlink_to(real)
    add_rule(link, "allow", "A")
    assert link.is_symlink() and json.loads(real.read_text()) == {"permissions": {"allow": ["A"]}}
    with pytest.raises(ConfigError, match="leads out"):
        add_rule(link, "allow", "B", within=tmp_path / "new")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"permissions": []}', '{"permissions": {"allow": "x"}}'])
def test_what_cannot_be_edited_stays_untouched(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(text)
    with pytest.raises(ConfigError):
        add_rule(path, "allow", "A")
    assert path.read_text() == text
    assert [entry.name for entry in tmp_path.iterdir()] == ["settings.json"]
