"""The grammar of rules: every form, and every way to write one wrong."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rein_tui.harness.permissions.rules import hosts_of, parse_rule
from rein_tui.harness.permissions.wildcard import host_matches, matches
from rein_tui.harness.protocol.base import JsonObject
from rein_tui.harness.protocol.decisions import Outcome, Rule, Source

HERE = Source(layer="user", path="s.json", line=3)


def rule(text: str, behavior: Outcome = "deny") -> Rule:
    return Rule(text=text, behavior=behavior, source=HERE)


@pytest.mark.parametrize(
    ("text", "tool", "tool_input", "fits"),
    [
        ("WebFetch(domain:Example.COM.)", "WebFetch", {"url": "https://example.com/x"}, True),
        ("WebFetch(domain:example.com)", "WebFetch", {"url": "https://example.com.evil.org/"}, False),
        ("WebFetch(domain:example.com)", "WebFetch", {"url": "https://sub.example.com/"}, False),
        ("WebFetch(domain:*.example.com)", "WebFetch", {"url": "https://a.b.example.com/"}, True),
        ("WebFetch(domain:*.example.com)", "WebFetch", {"url": "https://example.com/"}, False),
        ("WebFetch(domain:api.*.com)", "WebFetch", {"url": "https://api.x.com"}, True),
        ("WebFetch(domain:api.*.com)", "WebFetch", {"url": "https://api.x.y.com"}, False),
        ("WebFetch(domain:*)", "WebFetch", {"url": "http://[::1]:80/"}, True),
        ("WebFetch(domain:evil.org)", "WebFetch", {"url": "https://good.com@evil.org/"}, True),
        ("WebFetch(domain:evil.org)", "WebFetch", {"url": "https://evil.org\\@good.com/"}, True),
        ("mcp__gh", "mcp__gh__list", {}, True),
        ("mcp__gh", "mcp__ghost__list", {}, False),
        ("mcp__gh__*", "mcp__gh__list", {}, True),
        ("mcp__gh__get_*", "mcp__gh__list", {}, False),
        ("mcp__*", "mcp__x__y", {}, True),
        ("*", "Bash", {}, True),
        ("B*", "Bash", {}, True),
        ("B*", "Read", {}, False),
        ("Agent(reviewer)", "Agent", {"subagent_type": "reviewer"}, True),
        ("Task(reviewer)", "Agent", {"subagent_type": "reviewer"}, True),
        ("Agent(model:opus)", "Agent", {"subagent_type": "x", "model": "opus"}, True),
        ("Agent(general-purpose)", "Agent", {"prompt": "x"}, True),
        ("Skill(deploy)", "Skill", {"skill": "deploy"}, True),
        ("Skill(deploy)", "Skill", {"skill": "deployer"}, False),
        ("Skill(deploy *)", "Skill", {"skill": "deploy", "args": "now"}, True),
        ("Skill(deploy:*)", "Skill", {"skill": "/deploy"}, True),
        ("Skill(deploy *)", "Skill", {"skill": "deployer"}, False),
        ("Bash(run_in_background:true)", "Bash", {"run_in_background": True}, True),
        ("Bash(run_in_background:true)", "Bash", {}, False),
        ("Monitor(kind:*x*)", "Monitor", {"kind": "axb"}, True),
        ("mcp__gh__issue(repo:secret)", "mcp__gh__issue", {"repo": "secret"}, True),
        ("Grep(output_mode:content)", "Grep", {"output_mode": "content"}, True),
    ],
)
def test_forms(text: str, tool: str, tool_input: JsonObject, fits: bool) -> None:
    parsed, _ = parse_rule(rule(text))
    assert parsed is not None
    assert (parsed.names(tool) and parsed.fits_input(tool_input)) is fits


@pytest.mark.parametrize(
    "text",
    [
        "*",
        "B*",
        "mcp__*",
        "mcp__*__x",
        "Edit:*",
        "Bash(rm *",
        "Bash()",
        "Bash( )",
        "",
        "(x)",
        "bash(ls)",
        "Write(src/**)",
        "Glob(x)",
        "WebFetch(example.com)",
        "WebFetch(url:x)",
        "Bash(run_in_background:true)",
        "Read(!x)",
        "Read(a/../b)",
        "WebSearch(x)",
        "Bash(ls), Read(x)",
        "rm -rf *",
        "Bash(command:ls)",
    ],
)
def test_what_cannot_be_read_allows_nothing(text: str) -> None:
    parsed, notice = parse_rule(rule(text, "allow"))
    assert parsed is None and notice is not None
    assert notice.where == "s.json:3"


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ("Edit:*", "Edit"),
        ("Bash(rm *", "Bash"),
        ("Bash()", "Bash"),
        ("Bash (rm *)", "Bash"),
        ("Bash(command:rm *)", "Bash"),
        ("Bash(rm *), Read(x)", "Bash"),
        ("WebFetch(example.com)", "WebFetch"),
        ("Read(!x)", "Read"),
        ("WebSearch(x)", "WebSearch"),
        ("mcp__gh(x", "mcp__gh__list"),
        ("rm -rf *", "Bash"),
        ("(x)", "Anything"),
    ],
)
def test_a_bad_restriction_asks_for_the_whole_tool(text: str, tool: str) -> None:
    parsed, notice = parse_rule(rule(text))
    assert parsed is not None and notice is not None
    assert parsed.behavior == "ask" and parsed.pattern is None and not parsed.spec
    assert parsed.names(tool)
    assert parsed.rule.text == text


def test_spelling_of_tools() -> None:
    parsed, notice = parse_rule(rule("Bsh(rm *)"))
    assert parsed is None and notice is not None and "Bash" in notice.hint
    parsed, notice = parse_rule(rule("bash(rm *)"))
    assert parsed is not None and (parsed.kind, parsed.spec, parsed.behavior) == ("bash", "rm *", "deny")
    assert parse_rule(rule("mcp__any__thing"))[1] is None
    parsed, notice = parse_rule(rule("Write(docs/**)"))
    assert parsed is not None and parsed.access == "write" and notice is not None


@given(
    st.text(max_size=60) | st.from_regex(r"[A-Za-z_*]{1,8}\([^)]{0,20}\)?", fullmatch=True),
    st.sampled_from(["allow", "ask", "deny"]),
)
@settings(max_examples=400, deadline=None)
def test_any_text_is_a_rule_or_told(text: str, behavior: Outcome) -> None:
    parsed, notice = parse_rule(rule(text, behavior))
    assert parsed is not None or notice is not None
    if parsed is not None:
        strictness = ("allow", "ask", "deny")
        assert behavior != "allow" or parsed.behavior == "allow"
        assert strictness.index(parsed.behavior) <= strictness.index(behavior)
        parsed.names("Bash")
        parsed.fits_input({"url": text, "skill": text, "x": 1})


@given(st.text("ab*", max_size=10), st.text("ab", max_size=12))
@settings(max_examples=400, deadline=None)
def test_wildcards_agree_with_a_slow_reference(pattern: str, text: str) -> None:
    reach = {0}
    for char in pattern:
        if char == "*":
            reach = {end for start in reach for end in range(start, len(text) + 1)}
        else:
            reach = {start + 1 for start in reach if text[start : start + 1] == char}
    assert matches(pattern, text) is (len(text) in reach)


def test_wildcards_cannot_run_away() -> None:
    assert not matches(".*" + "x*" * 200 + "y", "." + "x" * 200_000)


def test_hosts() -> None:
    assert hosts_of("https://example.com:8080/x?y#z") == ["example.com"]
    for odd in ("ftp://x", "x", 5, None, "https://a@b/", "https://a\\b/", "https://a b/", "https://ä.de/"):
        assert hosts_of(odd) == []
    assert not host_matches("*.com", "")
    assert host_matches("*.co.uk", "a.co.uk")
