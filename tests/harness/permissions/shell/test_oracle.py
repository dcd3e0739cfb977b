"""Real bash says what a line starts; the analysis must never be more trusting than that."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from rein_tui.harness.permissions.shell.evaluate import evaluate
from rein_tui.harness.permissions.shell.survey import survey
from tests.harness.permissions.shell.jail import Jail
from tests.harness.permissions.shell.lines import CONTEXTS, SPELLINGS, broken, looped, spelled
from tests.harness.permissions.shell.scenes import scene

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")

DENIED = (scene(["Bash"], deny=["Bash(zap *)"]), scene(deny=["Bash(zap *)"], mode="bypassPermissions"))
ONLY_OK = scene(["Bash(ok *)"])
NOTHING = scene()


@pytest.fixture(scope="module")
def jail(tmp_path_factory: pytest.TempPathFactory) -> Jail:
    return Jail(tmp_path_factory.mktemp("jail"))


def check(line: str, jail: Jail) -> None:
    trusting = [held for held in DENIED if evaluate(line, held).outcome == "allow"]
    allows_ok = evaluate(line, ONLY_OK).outcome == "allow"
    allows_nothing = evaluate(line, NOTHING).outcome == "allow"
    if not (trusting or allows_ok or allows_nothing):
        return
    before = jail.files()
    started = jail.run(line)
    assert not (trusting and "zap" in started), line
    assert not (allows_ok and started - {"ok"}), line
    assert not (allows_nothing and (started or jail.files() != before)), line


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_denied_program_in_every_context(context: str, jail: Jail) -> None:
    check(context.format(c="zap a"), jail)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_denied_program_in_every_spelling(spelling: str, jail: Jail) -> None:
    check(spelling.format(p="zap") + " a", jail)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(line=broken())
def test_hidden_and_broken_lines(line: str, jail: Jail) -> None:
    check(line, jail)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(line=broken("ok"))
def test_an_allowed_line_starts_only_what_its_rule_covers(line: str, jail: Jail) -> None:
    check(line, jail)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(line=looped())
def test_loops_conditions_and_braces(line: str, jail: Jail) -> None:
    check(line, jail)


@settings(max_examples=60, deadline=None)
@given(line=spelled())
def test_words_that_are_known_are_those_that_bash_passes(line: str) -> None:
    commands = survey(line, home="/home/u", cwd="/").commands
    if "*" in line or commands is None or any(word.is_open for each in commands for word in each.words):
        return
    shown = "ok() { printf '%s\\0' $# \"$@\"; }\n"
    command = ["bash", "--noprofile", "--norc", "-c", shown + line]
    done = subprocess.run(command, env={"HOME": "/home/u"}, capture_output=True, text=True, timeout=20, check=False)
    wanted = [field for each in commands for field in (str(len(each.values) - 1), *each.values[1:])]
    assert done.stdout.split("\0")[:-1] == wanted, line


def test_the_jail_tells_what_starts(jail: Jail, tmp_path: Path) -> None:
    assert jail.run("zap; ok | other") == {"zap", "ok", "other"}
    assert jail.run("echo zap") == set()
    assert not list(tmp_path.iterdir())
