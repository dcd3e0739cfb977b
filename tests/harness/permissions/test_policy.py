"""The engine: order, modes, hooks, locks, grants, explanations."""

import json
from pathlib import Path
from typing import Any

import pytest

from rein_tui.harness.permissions.policy import Policy
from rein_tui.harness.places import Places
from rein_tui.harness.protocol.decisions import Decision, HookVerdict, Mode, PermissionQuery, Rule, Source
from rein_tui.harness.protocol.errors import ConfigError
from rein_tui.harness.settings.load import load_settings
from rein_tui.harness.settings.trust import nothing_to_trust, read_trust, record_trust

from .conftest import Make


def ask(policy: Policy, tool: str, /, **tool_input: Any) -> Decision:
    return policy.decide(PermissionQuery(tool=tool, input=tool_input, cwd=policy.root))


def said(outcome: Any, **more: Any) -> HookVerdict:
    return HookVerdict(outcome=outcome, source=Source(layer="hook", path="h.json", line=7), **more)


def test_the_reason_names_rule_layer_and_line(make: Make, root: Path) -> None:
    decision = ask(make(deny=["Read(.env)"]), "Read", file_path=str(root / ".env"))
    assert decision.outcome == "deny" and decision.decided_by == "rule"
    assert "Read(.env)" in decision.reason and "your settings" in decision.reason
    assert decision.source is not None and decision.source.path.endswith("settings.json")
    assert [trial.decided for trial in decision.trials] == [True]


def contained(policy: Policy, command: str) -> str:
    policy.contain(lambda _: True)
    return ask(policy, "Bash", command=command).outcome


def test_in_a_sandbox_only_what_lacks_a_rule_passes(make: Make) -> None:
    assert contained(make(), "npm test") == "allow"
    assert contained(make(), "for f in *; do x $f; done") == "allow"
    assert contained(make(), "git push origin main") == "allow"
    assert contained(make(), "rm -rf ~") == "ask"
    assert contained(make(), "echo x > .git/config") == "ask"
    assert contained(make(mode="plan"), "npm test") == "ask"
    assert contained(make(ask=["Bash(npm *)"]), "npm test") == "ask"
    assert contained(make(deny=["Bash(npm *)"]), "npm test") == "deny"
    assert contained(make(deny=["Read(.env)"]), "npm test") == "allow"
    assert contained(make(deny=["Read(.env)"]), "cat $(echo .env)") == "ask"
    assert contained(make(deny=["Read(.env)"]), "cat .e*") == "ask"
    policy = make()
    assert ask(policy, "Bash", command="npm test").outcome == "ask"
    policy.contain(lambda _: True)
    decision = ask(policy, "Bash", command="npm test")
    assert decision.decided_by == "sandbox" and "autoAllowBashIfSandboxed" in decision.reason
    assert ask(policy, "WebFetch", url="https://x.org").outcome == "ask"


def test_every_rule_that_was_tried_is_told(make: Make, root: Path) -> None:
    policy = make(allow=["Edit(src/**)", "Edit(lib/**)"], ask=["Edit(*.lock)"], deny=["Edit(x/**)", "Read(y)"])
    decision = ask(policy, "Edit", file_path=str(root / "src/a.py"))
    assert decision.outcome == "allow" and decision.rule is not None
    told = {trial.rule.text: (trial.matched, trial.decided) for trial in decision.trials}
    assert told == {
        "Edit(x/**)": (False, False),
        "Read(y)": (False, False),
        "Edit(*.lock)": (False, False),
        "Edit(src/**)": (True, True),
        "Edit(lib/**)": (False, False),
    }


@pytest.mark.parametrize(
    ("mode", "tool", "where", "outcome"),
    [
        ("default", "Read", "a", "allow"),
        ("default", "Write", "a", "ask"),
        ("default", "Read", "/outside/a", "ask"),
        ("acceptEdits", "Write", "a", "allow"),
        ("acceptEdits", "NotebookEdit", "a.ipynb", "allow"),
        ("acceptEdits", "Write", "/outside/a", "ask"),
        ("acceptEdits", "Write", ".git/hooks/x", "ask"),
        ("acceptEdits", "Write", "a/.CLAUDE/settings.json", "ask"),
        ("acceptEdits", "Write", ".claude/worktrees/w/a.py", "allow"),
        ("acceptEdits", "Write", ".claude/worktrees/w/.git", "ask"),
        ("acceptEdits", "Write", "sub/.config/git/config", "ask"),
        ("plan", "Read", "a", "allow"),
        ("plan", "Write", "a", "deny"),
        ("dontAsk", "Read", "a", "allow"),
        ("dontAsk", "Write", "a", "deny"),
        ("bypassPermissions", "Write", "/outside/.bashrc", "allow"),
    ],
)
def test_modes(make: Make, root: Path, mode: Mode, tool: str, where: str, outcome: str) -> None:
    field = "notebook_path" if tool == "NotebookEdit" else "file_path"
    decision = ask(make(mode=mode), tool, **{field: str(root / where)})
    assert decision.outcome == outcome, decision.reason
    assert decision.mode == mode


@pytest.mark.parametrize(
    ("tool", "tool_input", "outcome"),
    [
        ("TodoWrite", {"todos": []}, "allow"),
        ("Agent", {"prompt": "x"}, "allow"),
        ("Task", {"prompt": "x"}, "allow"),
        ("WebFetch", {"url": "https://x.org"}, "ask"),
        ("WebSearch", {"query": "x"}, "ask"),
        ("Skill", {"skill": "x"}, "ask"),
        ("ExitPlanMode", {}, "ask"),
        ("mcp__a__b", {}, "ask"),
        ("Unheard", {}, "ask"),
        ("Read", {}, "ask"),
        ("Read", {"file_path": 5}, "ask"),
        ("Write", {"file_path": "a\x00b"}, "deny"),
        ("Bash", {}, "ask"),
        ("Bash", {"command": 5}, "ask"),
        ("Glob", {"pattern": "{a,../b}/**"}, "ask"),
        ("Glob", {"pattern": "/etc/**"}, "ask"),
        ("Glob", {"pattern": "**/*.py"}, "allow"),
        ("Grep", {"pattern": "../x", "glob": "*.py"}, "allow"),
    ],
)
def test_tools_without_rules(make: Make, tool: str, tool_input: Any, outcome: str) -> None:
    decision = ask(make(), tool, **tool_input)
    assert decision.outcome == outcome, decision.reason


def test_read_only_tools_of_others(make: Make) -> None:
    policy = make()
    for tool, outcome in (("Unheard", "allow"), ("mcp__a__b", "ask"), ("WebFetch", "ask")):
        query = PermissionQuery(tool=tool, input={}, cwd=policy.root, read_only_tool=True)
        assert policy.decide(query).outcome == outcome


@pytest.mark.parametrize(
    ("rules", "verdicts", "outcome", "by"),
    [
        ({}, ["allow"], "allow", "hook"),
        ({}, ["allow", "ask"], "ask", "hook"),
        ({}, ["allow", "deny"], "deny", "hook"),
        ({"allow": ["WebSearch"]}, ["ask"], "ask", "hook"),
        ({"allow": ["WebSearch"]}, ["deny"], "deny", "hook"),
        ({"ask": ["WebSearch"]}, ["allow"], "ask", "rule"),
        ({"deny": ["WebSearch"]}, ["allow"], "deny", "rule"),
        ({"allow": ["WebSearch"]}, ["broken"], "ask", "hook"),
        ({"allow": ["WebSearch"]}, ["blocked"], "deny", "hook"),
    ],
)
def test_hooks(make: Make, rules: Any, verdicts: list[str], outcome: str, by: str) -> None:
    policy = make(**rules)
    words = {"broken": said("ask", broken=True), "blocked": said("deny", broken=True)}
    hooks = tuple(words.get(word) or said(word, reason="so") for word in verdicts)
    decision = policy.decide(PermissionQuery(tool="WebSearch", input={}, cwd=policy.root, hook_verdicts=hooks))
    assert (decision.outcome, decision.decided_by) == (outcome, by)
    if by == "hook":
        assert "h.json:7" in decision.reason


def test_a_hook_does_not_open_protected_files(make: Make, root: Path) -> None:
    policy = make()
    query = PermissionQuery(
        tool="Write", input={"file_path": str(root / ".git/config")}, cwd=policy.root, hook_verdicts=(said("allow"),)
    )
    assert policy.decide(query).decided_by == "protected_path"


def test_locked_settings_ask_for_everything(make: Make, root: Path) -> None:
    policy = make(layers={"user": {"permissions": {"allow": ["WebSearch"], "deny": {"a": 1}}}})
    decision = ask(policy, "WebSearch")
    assert (decision.outcome, decision.decided_by) == ("ask", "settings_locked")
    assert ask(policy, "Read", file_path=str(root / "a")).outcome == "ask"
    hooked = PermissionQuery(tool="WebSearch", input={}, cwd=policy.root, hook_verdicts=(said("allow"),))
    assert policy.decide(hooked).outcome == "ask"


def test_nobody_there_and_repairs_and_people(make: Make) -> None:
    policy = make(allow=["WebSearch"])
    alone = PermissionQuery(tool="WebFetch", input={}, cwd=policy.root, interactive=False)
    decision = policy.decide(alone)
    assert (decision.outcome, decision.decided_by) == ("deny", "unattended")
    assert "nobody can answer" in decision.reason
    repaired = PermissionQuery(tool="WebSearch", input={}, cwd=policy.root, repaired="a closing bracket")
    assert policy.decide(repaired).decided_by == "repair"
    assert policy.decide(repaired).reason.endswith("otherwise, so it asks: a closing bracket")
    person = PermissionQuery(tool="AskUserQuestion", input={}, cwd=policy.root, requires_person=True)
    assert (policy.decide(person).outcome, policy.decide(person).decided_by) == ("ask", "tool")
    assert make(mode="bypassPermissions").decide(person).outcome == "ask"
    assert make(mode="dontAsk").decide(person).outcome == "deny"
    changed = PermissionQuery(tool="mcp__s__t", input={}, cwd=policy.root, requires_person=True, caution="It changed.")
    for rules in (["mcp__s"], []):  # told whatever makes it ask
        assert make(allow=rules).decide(changed).outcome == "ask"
        assert make(allow=rules).decide(changed).warnings == ("It changed.",)


def test_administrators(make: Make) -> None:
    managed = {"allowManagedPermissionRulesOnly": True, "permissions": {"allow": ["WebSearch"]}}
    user = {"permissions": {"allow": ["WebFetch"], "deny": ["Skill"]}}
    policy = make(layers={"managed": managed, "user": user}, allow=["ExitPlanMode"])
    assert ask(policy, "WebSearch").outcome == "allow"
    assert ask(policy, "WebFetch").outcome == "ask" and not ask(policy, "WebFetch").suggestions
    assert ask(policy, "Skill").outcome == "deny"
    with pytest.raises(ConfigError, match="administrator"):
        policy.grant(["WebFetch"], "session")
    frontmatter = (Rule(text="WebFetch", behavior="allow", source=Source(layer="frontmatter")),)
    query = PermissionQuery(tool="WebFetch", input={}, cwd=policy.root, frontmatter=frontmatter)
    assert policy.decide(query).outcome == "ask"
    strict = make(layers={"managed": {"permissions": {"disableBypassPermissionsMode": "disable"}}})
    with pytest.raises(ConfigError, match="forbidden"):
        strict.set_mode("bypassPermissions")
    agent = PermissionQuery(tool="WebFetch", input={}, cwd=strict.root, mode="bypassPermissions")
    assert strict.decide(agent).outcome == "ask"


def test_a_rule_may_be_kept_where_nothing_else_would_take_effect(make: Make, places: Places, root: Path) -> None:
    def is_harmless() -> bool:
        return nothing_to_trust(places, root)

    policy = make(trusted=False, is_harmless=is_harmless)
    assert ask(policy, "Bash", command="npm test").outcome == "ask"
    assert policy.place_of("local")[1] == ""
    policy.grant(["Bash(npm test *)"], "local")
    assert ask(policy, "Bash", command="npm test").outcome == "allow"
    assert read_trust(places, root).trusted
    policy.use(load_settings(places, root, trusted=read_trust(places, root).trusted))
    assert ask(policy, "Bash", command="npm test").outcome == "allow"


def test_a_folder_with_something_to_trust_keeps_no_rule_before_it(make: Make, places: Places, root: Path) -> None:
    hook = {"hooks": {"Stop": [{"hooks": [{"type": "command", "command": "./x"}]}]}}
    (root / ".claude").mkdir()
    (root / ".claude" / "settings.json").write_text(json.dumps(hook))
    policy = make(trusted=False, is_harmless=lambda: nothing_to_trust(places, root))
    assert "until you trust" in policy.place_of("local")[1]
    with pytest.raises(ConfigError):
        policy.grant(["Bash(npm test *)"], "local")
    assert not read_trust(places, root).trusted


def test_frontmatter_of_an_untrusted_folder(make: Make, root: Path) -> None:
    for path, outcome in ((root / ".claude/commands/x.md", "ask"), (Path("/home/u/x.md"), "allow")):
        source = Source(layer="frontmatter", path=str(path))
        rules = (Rule(text="WebSearch", behavior="allow", source=source),)
        policy = make(trusted=False)
        query = PermissionQuery(tool="WebSearch", input={}, cwd=policy.root, frontmatter=rules)
        assert policy.decide(query).outcome == outcome


def test_frontmatter_ends_with_its_command(make: Make) -> None:
    policy = make()
    rules = (Rule(text="WebSearch", behavior="allow", source=Source(layer="frontmatter")),)
    inside = PermissionQuery(tool="WebSearch", input={}, cwd=policy.root, frontmatter=rules)
    assert policy.decide(inside).outcome == "allow"
    assert ask(policy, "WebSearch").outcome == "ask"
    assert policy.decide(inside).outcome == "allow"
    other = (Rule(text="WebSearch", behavior="deny", source=Source(layer="frontmatter")),)
    query = PermissionQuery(tool="WebSearch", input={}, cwd=policy.root, frontmatter=other)
    assert policy.decide(query).outcome == "deny"
    assert ask(policy, "WebSearch").outcome == "ask"


def test_session_grants(make: Make, root: Path) -> None:
    policy = make(clock=lambda: 5.0)
    call = {"file_path": str(root / "src" / "[a].py")}
    offered = ask(policy, "Edit", **call).suggestions
    assert [suggestion.rules for suggestion in offered] == [("Edit(./src/\\[a\\].py)",), ("Edit(./src/**)",)]
    policy.grant(offered[0].rules, "session")
    assert ask(policy, "Edit", **call).outcome == "allow"
    assert ask(policy, "Edit", file_path=str(root / "src/b.py")).outcome == "ask"
    grant = policy.grants[0]
    assert (grant.matched, grant.scope, grant.time, grant.path) == (1, "session", 5.0, "")
    assert policy.revoke(grant.rule, "session") and not policy.revoke(grant.rule, "session")
    assert ask(policy, "Edit", **call).outcome == "ask"
    assert policy.grants[0].revoked
    with pytest.raises(ConfigError):
        policy.grant(["Bash(x"], "session")


def test_written_grants(places: Places, make: Make, root: Path) -> None:
    record_trust(places, read_trust(places, root))
    policy = make()
    rule = policy.grant(["WebFetch(domain:x.org)"], "local")[0]
    path = root / ".claude/settings.local.json"
    assert (rule.source.layer, rule.source.path, rule.source.line) == ("local", str(path), 4)
    assert json.loads(path.read_text()) == {"permissions": {"allow": ["WebFetch(domain:x.org)"]}}
    assert ask(policy, "WebFetch", url="https://x.org/a").outcome == "allow"
    report = read_trust(places, root)
    assert report.trusted
    policy.use(load_settings(places, root, trusted=report.trusted))
    assert ask(policy, "WebFetch", url="https://x.org/a").outcome == "allow"
    assert policy.grants[0].matched == 2
    assert policy.revoke("WebFetch(domain:x.org)", "local")
    assert json.loads(path.read_text()) == {"permissions": {"allow": []}}
    policy.use(load_settings(places, root, trusted=True))
    assert ask(policy, "WebFetch", url="https://x.org/a").outcome == "ask"
    with pytest.raises(ConfigError, match="trust"):
        make(trusted=False).grant(["WebSearch"], "project")


def test_removed_tools(make: Make) -> None:
    names = ("Bash", "Read", "mcp__a__x", "mcp__b__y", "WebFetch", "Write")
    policy = make(deny=["mcp__a", "Web*", "Bash(rm *)", "Write"], tool_names=lambda: names)
    assert policy.removed_tools() == {"mcp__a__x", "WebFetch", "Write"}
    assert make(deny=["Bash(*)"], tool_names=lambda: names).removed_tools() == {"Bash"}


def test_rules_of_hooks(make: Make, root: Path) -> None:
    policy = make()
    assert policy.fits_rule("Bash(git push *)", "Bash", {"command": "cd x && git push origin"}) is True
    assert policy.fits_rule("Bash(git push *)", "Bash", {"command": "git status"}) is False
    assert policy.fits_rule("Edit(*.ts)", "Write", {"file_path": str(root / "a/b.ts")}) is True
    assert policy.fits_rule("Edit(*.ts)", "Write", {"file_path": str(root / "a/b.py")}) is False
    assert policy.fits_rule("Edit", "Bash", {"command": "ls"}) is False
    assert policy.fits_rule("(", "Bash", {}) is None


def test_own_folders_are_protected(places: Places, make: Make) -> None:
    policy = make(allow=["Edit"])
    assert ask(policy, "Write", file_path=str(places.data / "trust.json")).decided_by == "protected_path"
    assert ask(policy, "Write", file_path=str(places.home / "plain")).outcome == "allow"


def test_links_are_told(make: Make, root: Path, tmp_path: Path) -> None:
    (root / "notes").symlink_to(tmp_path / "secret")
    decision = ask(make(mode="acceptEdits"), "Edit", file_path=str(root / "notes"))
    assert decision.outcome == "ask"
    assert str(tmp_path / "secret") in decision.reason and decision.warnings
    assert len(decision.suggestions) == 1 and len(decision.suggestions[0].rules) == 2


def test_the_default_mode_of_settings(make: Make) -> None:
    assert make(layers={"user": {"permissions": {"defaultMode": "plan"}}}).mode == "plan"
    assert make(layers={"project": {"permissions": {"defaultMode": "bypassPermissions"}}}).mode == "default"
    assert make(layers={"project": {"permissions": {"defaultMode": "acceptEdits"}}}, trusted=False).mode == "default"
    assert make(layers={"user": {"permissions": {"defaultMode": "plan"}}}, mode="default").mode == "default"


def test_huge_input_is_answered_at_once(make: Make) -> None:
    policy = make(deny=["Read(**/b)", "Read(*a*b)", f"Read({'x' * 1_000_000})"], allow=["WebFetch(domain:*.a)"])
    assert ask(policy, "Read", file_path="a/" * 500_000).outcome == "deny"
    assert ask(policy, "Read", file_path="a/" * 3_000).outcome in ("allow", "ask")
    assert ask(policy, "Read", file_path="a" * 1_000_000).outcome == "deny"
    assert ask(policy, "Bash", command="echo a;" * 150_000).outcome == "ask"
    assert ask(policy, "WebFetch", url="https://" + "a." * 300_000).outcome in ("allow", "ask")
    assert len(ask(policy, "Read", file_path="a" * 1_000_000).reason) < 500


@pytest.mark.parametrize("mode", ["default", "bypassPermissions"])
def test_a_deny_rule_about_a_file_holds_against_globs_under_an_allow_rule(make: Make, root: Path, mode: Mode) -> None:
    policy = make(allow=["Bash(cat *)", "Bash(tee *)"], deny=["Read(.env)"])
    policy.set_mode(mode)
    lines = ("cat .e*", 'for f in .e*; do cat "$f"; done')
    if mode == "default":
        assert [ask(policy, "Bash", command=line).outcome for line in lines] == ["ask", "ask"]
        assert ask(policy, "Bash", command="cat a*").outcome == "allow"
    (root / ".env").write_text("KEY=1")
    assert [ask(policy, "Bash", command=line).outcome for line in lines] == ["deny", "deny"]
    (root / ".envrc").write_text("")
    if mode == "default":
        assert ask(policy, "Bash", command="echo x | tee .envr*").outcome == "ask"  # a protected file
