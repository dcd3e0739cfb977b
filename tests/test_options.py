"""Flags that cannot be meant: refused in words, with exit code 2."""

import pytest

from rein_tui.cli.options import parse_options


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--max-turns", "x"], "'x': expected a number from 1"),
        (["--max-turns", "0"], "'0': expected a number from 1"),
        (["--setting-sources", "user,projekt"], "'projekt' is none of user, project, local"),
        (["--permission-mode", "yolo"], "'yolo' is none of default"),
    ],
)
def test_a_flag_that_cannot_be_meant_is_refused_in_words(
    flags: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        parse_options(["-p", "hi", *flags])
    assert left.value.code == 2
    assert f"argument {flags[0]}: {words}" in capsys.readouterr().err


def test_setting_sources_are_read_as_a_list() -> None:
    assert parse_options(["--setting-sources", "user, project"]).setting_sources == ("user", "project")
    assert parse_options(["--setting-sources", ""]).setting_sources == ()
    assert parse_options([]).setting_sources is None
