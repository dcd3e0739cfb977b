"""The first start: never a dead end, by keyboard and by mouse."""

from pathlib import Path

from textual.widgets import Input, OptionList

from rein_tui.harness.protocol.models import ModelInfo
from rein_tui.harness.protocol.workbench import FoundServer
from rein_tui.widgets.welcome import Welcome
from tests.app.driving import Stage, on_stage

OLLAMA = FoundServer(
    url="http://localhost:11434/v1",
    flavour="ollama",
    version="0.9",
    models=(ModelInfo(id="qwen2.5-coder:7b", size_bytes=4_700_000_000), ModelInfo(id="[/evil]\x1b]0;x\x07")),
)


async def choose(stage: Stage, text: str) -> None:
    """Highlight the row that holds the text, and take it."""
    rows = stage.app.main.query_one(Welcome).query_one(OptionList)
    await stage.until(lambda: any(text in str(option.prompt) for option in rows.options))
    rows.highlighted = next(at for at, option in enumerate(rows.options) if text in str(option.prompt))
    await stage.press("enter")
    await stage.pilot.pause()


async def test_a_local_server_is_found_and_offered_with_its_models():
    async with on_stage(choice=None, servers=(OLLAMA,)) as stage:
        await stage.until(lambda: "qwen2.5-coder:7b" in stage.text())
        assert "4.7 GB" in stage.text()
        assert "\x1b" not in stage.text()
        await choose(stage, "qwen2.5")
        await stage.until(lambda: stage.workbench.opened)
        assert stage.workbench.choice is not None
        assert (stage.workbench.choice.kind, stage.workbench.choice.url) == ("local", OLLAMA.url)
        await stage.settled()
        assert stage.app.focused is stage.app.main.composer.area
        await stage.say("hello")
        assert stage.harness.prompts


async def test_without_any_server_there_is_still_a_way_on():
    async with on_stage(choice=None) as stage:
        await stage.until(lambda: "no local model server" in stage.text())
        await choose(stage, "Demo")
        await stage.until(lambda: stage.workbench.opened)
        assert stage.workbench.choice is not None
        assert stage.workbench.choice.kind == "demo"


async def test_from_a_conversation_there_is_a_way_back():
    async with on_stage() as stage:
        stage.app.run_command("welcome")
        await stage.until(lambda: "esc back" in stage.text() and "look again" in stage.text())
        await choose(stage, "Claude")
        await stage.until(lambda: isinstance(stage.app.focused, Input))
        await stage.press("escape")
        await stage.until(lambda: isinstance(stage.app.focused, OptionList))
        await stage.press("escape")
        await stage.until(lambda: stage.app.focused is stage.app.main.composer.area)
        assert not stage.app.main.has_class("-welcome")


async def test_a_key_is_masked_and_a_wrong_one_can_be_tried_again():
    async with on_stage(choice=None) as stage:
        await choose(stage, "Claude")
        field = stage.app.main.query_one(Welcome).query_one(Input)
        await stage.type("wrong")
        await stage.settled()
        assert "wrong" not in stage.text()
        await stage.press("enter")
        await stage.until(lambda: "refused the key" in stage.text())
        field.value = "sk-ant-good"
        await stage.press("enter")
        await stage.until(lambda: stage.workbench.opened)
        assert stage.workbench.keys == ["sk-ant-good"]


async def test_a_model_file_must_exist(tmp_path: Path):
    model = tmp_path / "m.gguf"
    model.write_bytes(b"GGUF")
    async with on_stage(choice=None) as stage:
        await choose(stage, "Model file")
        field = stage.app.main.query_one(Welcome).query_one(Input)
        field.value = str(tmp_path / "none.gguf")
        await stage.press("enter")
        await stage.until(lambda: "no file at" in stage.text())
        field.value = str(model)
        await stage.press("enter")
        await stage.until(lambda: stage.workbench.opened)
        assert stage.workbench.choice is not None
        assert stage.workbench.choice.path == str(model)


async def test_esc_goes_back_to_the_offers_and_r_looks_again():
    async with on_stage(choice=None) as stage:
        await choose(stage, "Server")
        await stage.press("escape")
        await stage.settled()
        assert isinstance(stage.app.focused, OptionList)
        await stage.press("r")
        await stage.until(lambda: "no local model server" in stage.text())


async def test_the_mouse_chooses_too():
    async with on_stage(choice=None) as stage:
        rows = stage.app.main.query_one(Welcome).query_one(OptionList)
        await stage.until(lambda: rows.option_count)
        await stage.pilot.click("Welcome OptionList", offset=(4, rows.option_count - 1))
        await stage.until(lambda: stage.workbench.opened)
        assert stage.workbench.choice is not None
        assert stage.workbench.choice.kind == "demo"


async def test_a_key_that_is_set_already_need_not_be_typed():
    async with on_stage(choice=None) as stage:
        await choose(stage, "Claude")
        await stage.press("enter")
        await stage.until(lambda: bool(stage.workbench.opened))
        assert stage.workbench.keys == [""]
