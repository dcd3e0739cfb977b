"""The main states of the screen at four sizes, as text. The light theme must put every character in the same place."""

import pytest

from rein_tui.harness.protocol.models import ModelInfo
from rein_tui.harness.protocol.workbench import FoundServer
from tests import stories
from tests.app.driving import Stage, on_stage
from tests.app.fake_harness import SESSIONS
from tests.snapshots.goldens import check_golden

SIZES = [(60, 20), (100, 30), (120, 36), (200, 60)]
SERVER = FoundServer(
    url="http://localhost:11434/v1",
    flavour="ollama",
    models=(ModelInfo(id="qwen2.5-coder:7b", size_bytes=4_700_000_000), ModelInfo(id="llama3.1:8b")),
)


async def check(stage: Stage, name: str) -> None:
    """Compare with the golden in the dark theme and again in the light one."""
    await stage.settled()
    size = stage.app.size
    check_golden(f"{name}-{size.width}x{size.height}", stage.text())
    for theme in ("rein-light", "rein-contrast-dark"):
        stage.app.theme = theme
        await stage.settled()
        check_golden(f"{name}-{size.width}x{size.height}", stage.text())
    stage.app.theme = "rein-dark"
    await stage.settled()


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_idle_completing_and_queued(size: tuple[int, int]):
    async with on_stage(lambda: [stories.streaming()], size=size, stored=SESSIONS) as stage:
        await check(stage, "idle")
        await stage.type("/re")
        await check(stage, "completing")
        stage.app.main.composer.text = ""
        await stage.say("explain the cache")
        await stage.say("and then draw it")
        await check(stage, "queued")


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_welcome(size: tuple[int, int]):
    async with on_stage(choice=None, servers=(SERVER,), size=size) as stage:
        await stage.until(lambda: "qwen2.5" in stage.text())
        await check(stage, "welcome")


@pytest.mark.parametrize("size", SIZES, ids=str)
async def test_palette_keys_and_question(size: tuple[int, int]):
    async with on_stage(lambda: [stories.questioning(several=True)], size=size) as stage:
        await stage.press("ctrl+p")
        await stage.until(lambda: "Commands" in stage.text())
        await check(stage, "palette")
        await stage.press("escape", "f1")
        await stage.until(lambda: "Keys valid now" in stage.text())
        await check(stage, "keys")
        await stage.press("escape")
        await stage.settled()
        await stage.say("make an example")
        await stage.until(lambda: "Which database" in stage.text())
        await check(stage, "question")


@pytest.mark.parametrize("size", [(60, 20), (120, 36)], ids=str)
async def test_sessions(size: tuple[int, int]):
    async with on_stage(size=size, stored=SESSIONS) as stage:
        if not stage.app.main.sidebar.display:
            await stage.press("f6")
            await stage.until(lambda: stage.app.main.sidebar.display)
        stage.app.main.sidebar.focus_list()
        await stage.press("down", "d")
        await stage.until(lambda: "d again deletes" in stage.text())
        await check(stage, "sessions")
