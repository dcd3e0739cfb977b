"""`rein-tui models`: servers, their models, and what trying one out shows."""

import argparse
import io
import json
from pathlib import Path

from rein_tui.harness.protocol.messages import TextBlock
from rein_tui.models_cli import run_models
from tests.fakes.local_servers import VLLM, site
from tests.fakes.model_server import model_server
from tests.fakes.streams import HABITS, chat_stream

WROTE = '```json\n{"name": "echo", "arguments": {"text": "ok"}}\n```'


async def listed(url: str, home: Path, *, probe: bool, as_json: bool) -> tuple[int, str]:
    out = io.StringIO()
    asked = argparse.Namespace(local_url=url, probe=probe, json=as_json)
    environment = {"HOME": str(home), "REIN_TUI_CACHE_DIR": str(home / "cache")}
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
