"""`rein-tui models`: servers, their models, and what trying one out shows."""

import argparse
import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from rein_tui.cli.models import run_models
from rein_tui.harness.protocol.messages import TextBlock
from tests.fakes.local_servers import VLLM, site
from tests.fakes.model_server import Op, Seen, answer, model_server
from tests.fakes.streams import HABITS, chat_stream

WROTE = '```json\n{"name": "echo", "arguments": {"text": "ok"}}\n```'


async def listed(url: str, home: Path, *, probe: bool, as_json: bool, **variables: str) -> tuple[int, str]:
    out = io.StringIO()
    asked = argparse.Namespace(local_url=url, probe=probe, json=as_json)
    environment = {"HOME": str(home), "REIN_TUI_CACHE_DIR": str(home / "cache"), **variables}
    return await run_models(asked, environment, out), out.getvalue()


async def test_a_probe_is_shown_and_kept_for_sessions(tmp_path: Path) -> None:
    pages = {**VLLM, "/v1/chat/completions": chat_stream([TextBlock(text=WROTE)], HABITS["vllm"]).decode()}
    async with model_server(route=site(pages)) as fake:
        code, text = await listed(fake.url, tmp_path, probe=True, as_json=False)
        assert code == 0
        assert "tool calls: text (fence)" in text
        _, raw = await listed(fake.url, tmp_path, probe=True, as_json=True)
        record = next(entry for entry in json.loads(raw) if entry["server"] == fake.url)
        assert record["tool_calls"] == "text (fence)"
        kept = json.loads((tmp_path / "cache" / "tool-probes.json").read_text())
        assert [entry["verdict"] for key, entry in kept.items() if fake.url in key] == ["text"]
        _, text = await listed(fake.url, tmp_path, probe=False, as_json=False)
        assert "tool calls" not in text


async def test_a_server_that_wants_a_key_gets_it_or_says_that_it_wants_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From the environment or from one's own settings, as in a session."""

    def route(seen: Seen) -> Sequence[Op]:
        if seen.headers.get("authorization") != "Bearer sk-local-1":
            return answer('{"error": {"message": "Unauthorized"}}', "application/json", 401)
        return site(VLLM)(seen)

    async with model_server(route=route) as fake:
        _, text = await listed(fake.url, tmp_path, probe=False, as_json=False)
        assert fake.url not in text
        assert "LOCAL_LLM_API_KEY" in capsys.readouterr().err
        _, text = await listed(fake.url, tmp_path, probe=False, as_json=False, LOCAL_LLM_API_KEY="sk-local-1")
        assert fake.url in text
        (tmp_path / ".claude").mkdir()
        (tmp_path / ".claude" / "settings.json").write_text('{"env": {"LOCAL_LLM_API_KEY": "sk-local-1"}}')
        _, text = await listed(fake.url, tmp_path, probe=False, as_json=False)
        assert fake.url in text
