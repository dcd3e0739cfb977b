"""Shared fixtures: every test gets its own home, data folder and places; nothing touches the real ones."""

from pathlib import Path

import pytest

from rein_tui.harness.places import Places


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--corpus DIR`: run the corpus tests on another folder of same-named files."""
    parser.addoption("--corpus", action="store", default=None, help="folder with *.jsonl corpora of the same names")


@pytest.fixture(scope="session")
def corpus_folder(request: pytest.FixtureRequest) -> Path:
    """Where the regression corpora are: `--corpus DIR`, else tests/corpus."""
    chosen = request.config.getoption("--corpus")
    return Path(chosen) if chosen else Path(__file__).parent / "corpus"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    """A machine of its own below tmp_path."""
    home = tmp_path / "home"
    home.mkdir()
    return Places(
        home=home,
        config=home / ".claude",
        managed=tmp_path / "etc",
        data=tmp_path / "data",
        cache=tmp_path / "cache",
    )


@pytest.fixture(autouse=True)
def own_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the caller's home, keys or session store."""
    for name in (
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_BASE_URL",
        "CLAUDE_MODEL",
        "CLAUDE_CONFIG_DIR",
    ):
        monkeypatch.delenv(name, raising=False)
    for name in ("LOCAL_LLM_URL", "LOCAL_LLM_MODEL", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("COLUMNS", "LINES"):  # readline tells the caller's: they would win over the size of a test's own pty
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")  # a terminal without colours, such as CI's, draws none
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
