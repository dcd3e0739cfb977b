"""Laws of the shell analysis: what may only make an answer stricter, what must not matter, what never fails."""

import re
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rein_tui.harness.permissions.shell.evaluate import evaluate
from rein_tui.harness.permissions.shell.globs import globs_meet
from rein_tui.harness.permissions.shell.patterns import collapse_blanks, compile_pattern, match_command
from rein_tui.harness.protocol.decisions import Mode
from tests.harness.permissions.shell.lines import broken, hidden
from tests.harness.permissions.shell.scenes import scene

RANK = {"allow": 0, "ask": 1, "deny": 2}
MODES: tuple[Mode, ...] = ("default", "acceptEdits", "plan", "dontAsk", "bypassPermissions")
MORE = settings(max_examples=150, deadline=None)
commands = st.sampled_from(
    "ls|ls -la src|npm test|git status|"
    "rm -rf build|echo hi > out|cat .env|cd src|cat a && sort b|touch a|zap|cat <<'E'\nx\nE|"
    "find . -name x|timeout 5 npm test|NODE_ENV=x npm test|$x|ls #|ls /etc|cd /tmp".split("|")
)
PRINTABLE = "".join(sorted(set(string.printable) - set("\r\x0b\x0c")))
lists = st.lists(st.sampled_from(["Bash", "Bash(npm *)", "Bash(rm *)", "Bash(git status)", "Bash(* x)"]), max_size=3)


@MORE
@given(line=commands | hidden(), allow=lists, ask=lists, deny=lists, mode=st.sampled_from(MODES), more=lists)
def test_another_deny_or_ask_rule_never_loosens(
    line: str, allow: list[str], ask: list[str], deny: list[str], mode: Mode, more: list[str]
) -> None:
    before = RANK[evaluate(line, scene(allow, ask, deny, mode=mode)).outcome]
    assert RANK[evaluate(line, scene(allow, ask, [*deny, *more], mode=mode)).outcome] >= before
    assert RANK[evaluate(line, scene(allow, [*ask, *more], deny, mode=mode)).outcome] >= before


@MORE
@given(line=commands | broken(), tail=commands, allow=lists, deny=lists, mode=st.sampled_from(MODES))
def test_appending_a_command_never_loosens(line: str, tail: str, allow: list[str], deny: list[str], mode: Mode) -> None:
    held = scene(allow, deny=deny, mode=mode)
    before = evaluate(line, held).outcome
    after = evaluate(f"{line}; {tail}", held).outcome
    assert before == "allow" or after != "allow"


@MORE
@given(line=hidden("rm"))
def test_hiding_a_denied_program_never_allows_it_under_a_narrow_rule(line: str) -> None:
    assert evaluate(line, scene(["Bash(rm *)"], deny=["Bash(rm *)"])).outcome != "allow" or "rm" not in line.split()


@MORE
@given(spec=st.text("ab *:\\", max_size=8), text=st.text("ab *:\\", max_size=12))
def test_the_matcher_agrees_with_a_slow_reference(spec: str, text: str) -> None:
    assert match_command(spec, text) == any(slow_match(spec, spelling) for spelling in (text, collapse_blanks(text)))


def slow_match(spec: str, text: str) -> bool:
    """The documented meaning, as a regular expression."""
    spec = collapse_blanks(spec)
    if spec.endswith(":*"):
        spec = spec[:-2] + " *"
    tokens = re.findall(r"\\\*|\*|[^*\\]|\\", spec)
    boundary = len(tokens) > 2 and tokens[-1] == "*" and tokens[-2] == " "
    literal = ["(?s:.*)" if token == "*" else re.escape(token[-1] if token == "\\*" else token) for token in tokens]
    if re.fullmatch("".join(literal), text):
        return True
    return boundary and re.fullmatch("".join(literal[:-2]), text) is not None


def test_matching_costs_no_more_than_its_input() -> None:
    pattern = compile_pattern("*x" * 50 + "y")
    assert not pattern.matches("x" * 1_000_000)


@MORE
@given(line=st.text(st.characters(), max_size=200), mode=st.sampled_from(MODES))
def test_any_text_has_an_answer(line: str, mode: Mode) -> None:
    assert evaluate(line, scene(["Bash(ls *)"], ["Bash(a *)"], ["Bash(rm *)"], mode=mode)).reason


@MORE
@given(data=st.binary(max_size=200))
def test_any_bytes_have_an_answer(data: bytes) -> None:
    assert evaluate(data.decode("utf-8", "surrogateescape"), scene(["Bash"])).outcome in RANK


@MORE
@given(line=st.text("lsrm \\\"'`$(){}[];|&<>\n#!*?~=-1aEOF", max_size=60))
def test_any_punctuation_has_an_answer(line: str) -> None:
    assert evaluate(line, scene(["Bash(ls *)"], deny=["Bash(rm *)"])).outcome in RANK


@pytest.mark.parametrize("unit", [*"([{`'\"|<\\*é\0\ud800", "$(", "a ", "a;", "<<E\n", "${x:-", "if "])
def test_a_megabyte_has_an_answer(unit: str) -> None:
    line = unit * (1_000_000 // len(unit))
    assert evaluate(line, scene(["Bash"], deny=["Bash(rm *)"])).outcome == "ask"
    assert evaluate(line[:9_999], scene(["Bash(zz *)"], deny=["Bash(rm *)"])).outcome != "allow"


def test_a_denied_command_at_the_end_of_a_megabyte_is_found() -> None:
    line = "ls; " * 250_000 + "rm -rf x"
    assert evaluate(line, scene(["Bash"], deny=["Bash(rm *)"])).outcome == "deny"


@MORE
@given(words=st.lists(st.text(PRINTABLE, min_size=1, max_size=6), min_size=1, max_size=4))
def test_quoting_does_not_change_what_a_rule_covers(words: list[str]) -> None:
    quoted = " ".join("'" + word.replace("'", "'\\''") + "'" for word in words)
    assert evaluate(f"ok {quoted}", scene(["Bash(ok *)"])).outcome == "allow"
    assert evaluate(f"ok {quoted}", scene(["Bash(ok)"])).outcome == "ask"
    assert evaluate(f"ok {quoted}", scene(["Bash"], deny=["Bash(ok *)"])).outcome == "deny"


@MORE
@given(line=commands, mode=st.sampled_from(MODES), allow=lists)
def test_saved_suggestions_let_the_line_pass(line: str, mode: Mode, allow: list[str]) -> None:
    verdict = evaluate(line, scene(allow, mode=mode))
    if verdict.suggestions:
        assert len(verdict.suggestions) <= 5
        assert verdict.outcome != "allow"
        assert evaluate(line, scene([*allow, *verdict.suggestions], mode=mode)).outcome == "allow"
    if verdict.exact:
        assert evaluate(line, scene([*allow, *verdict.exact], mode=mode)).outcome == "allow"


@MORE
@given(glob=st.text("ab*?/", max_size=8), name=st.text("ab/", max_size=8))
def test_globs_meet_at_least_where_one_matches_the_other(glob: str, name: str) -> None:
    parts = [part for part in glob.split("/") if part]
    names = [part for part in name.split("/") if part]
    matches = len(parts) == len(names) and all(
        re.fullmatch(part.replace("?", ".").replace("*", ".*"), have) for part, have in zip(parts, names, strict=True)
    )
    if matches and "**" not in parts:
        assert globs_meet("/" + glob, "/" + name)
        assert globs_meet("/" + name, "/" + glob)
