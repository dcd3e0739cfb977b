"""Laws of the engine, over random rules, calls and trees of links."""

import os
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import Mode, PermissionQuery

from .conftest import Make

RANK = {"allow": 0, "ask": 1, "deny": 2}
LAX = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

paths = st.lists(st.sampled_from(["a", "b", "src", ".env", ".git", "..", "."]), min_size=1, max_size=4).map("/".join)
patterns = st.sampled_from(
    ["src/**", ".env", "a/*", "//**", "**/b", "/src/**", "~/x", "./a/b", "*", "b/", "**", "x y", "!z", "[ab]"]
)
rules = st.one_of(
    st.tuples(st.sampled_from(["Read", "Edit", "Write"]), patterns).map(lambda pair: f"{pair[0]}({pair[1]})"),
    st.sampled_from(
        ["Read", "Edit", "Write", "*", "WebFetch(domain:x.org)", "Bash(ls *)", "Bash", "mcp__a", "Bash(rm *", ""]
    ),
)
lists = st.lists(rules, max_size=4)
modes: st.SearchStrategy[Mode] = st.sampled_from(["default", "acceptEdits", "plan", "dontAsk", "bypassPermissions"])
calls: st.SearchStrategy[tuple[str, JsonObject]] = st.one_of(
    st.tuples(st.sampled_from(["Read", "Edit", "Write"]), paths.map(lambda path: {"file_path": path})),
    st.sampled_from(
        [
            ("Bash", {"command": "ls a"}),
            ("Bash", {"command": "npm x"}),
            ("WebFetch", {"url": "https://x.org"}),
            ("mcp__a__b", {"x": 1}),
        ]
    ),
)


@given(lists, lists, lists, rules, st.sampled_from(["deny", "ask"]), calls, modes)
@LAX
def test_a_further_restriction_never_loosens(
    make: Make, allow: Any, ask: Any, deny: Any, more: str, kind: str, call: Any, mode: Mode
) -> None:
    before = make(allow=allow, ask=ask, deny=deny, mode=mode)
    ask, deny = ([more, *ask], deny) if kind == "ask" else (ask, [more, *deny])
    after = make(allow=allow, ask=ask, deny=deny, mode=mode)
    query = PermissionQuery(tool=call[0], input=call[1], cwd=before.root)
    first, second = before.decide(query), after.decide(query)
    assert RANK[second.outcome] >= RANK[first.outcome], (first.reason, second.reason)


@given(lists, lists, lists, calls, modes)
@LAX
def test_decisions_are_explained(make: Make, allow: Any, ask: Any, deny: Any, call: Any, mode: Mode) -> None:
    policy = make(allow=allow, ask=ask, deny=deny, mode=mode)
    decision = policy.decide(PermissionQuery(tool=call[0], input=call[1], cwd=policy.root))
    assert decision.reason and "\n" not in decision.reason
    if decision.decided_by == "rule":
        assert decision.rule is not None
        assert decision.rule in [trial.rule for trial in decision.trials]
    for suggestion in decision.suggestions:
        assert decision.outcome == "ask"
        policy.grant(suggestion.rules, "session")
        again = policy.decide(PermissionQuery(tool=call[0], input=call[1], cwd=policy.root))
        assert again.outcome == "allow", (suggestion.rules, again.reason)
        for rule in suggestion.rules:
            policy.revoke(rule, "session")


@given(st.lists(st.tuples(paths, paths), max_size=4), paths, st.sampled_from(["Read", "Edit"]))
@LAX
def test_what_is_allowed_really_lies_inside(
    make: Make, tmp_path_factory: Any, links: list[tuple[str, str]], path: str, tool: str
) -> None:
    """Whatever links there are: an allowed path leads into the working directory."""
    policy = make(mode="acceptEdits", deny=["Read(.env)"])
    base = Path(policy.root)
    for entry in base.iterdir():
        entry.unlink() if entry.is_symlink() or entry.is_file() else None
    for name, target in links:
        place = base / name.replace("/", "_").replace("..", "up")
        if not os.path.lexists(place):
            place.symlink_to(target)
    given_path = base / path.replace("/", "_").replace("..", "up") / "x"
    for text in (str(given_path), f"{policy.root}/{path}"):
        decision = policy.decide(PermissionQuery(tool=tool, input={"file_path": text}, cwd=policy.root))
        if decision.outcome == "allow":
            real = os.path.realpath(text)
            assert os.path.commonpath((policy.root, real)) == policy.root
            assert ".env" not in Path(real).relative_to(policy.root).parts


@given(st.text(max_size=30), st.sampled_from(["Read", "Write", "Grep", "Glob", "WebFetch", "Skill", "Bash"]))
@LAX
def test_any_input_gets_an_answer(make: Make, text: str, tool: str) -> None:
    policy = make(allow=["Read(~/x/**)"], deny=["Edit(x)"], ask=["WebFetch(domain:*.y)"])
    fields = ("file_path", "path", "pattern", "url", "skill", "command")
    decision = policy.decide(PermissionQuery(tool=tool, input=dict.fromkeys(fields, text), cwd=policy.root))
    assert decision.reason
