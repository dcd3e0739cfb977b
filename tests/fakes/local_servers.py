"""What local model servers answer when they are asked who they are."""

import json
from typing import Any

from tests.fakes.model_server import Op, Route, Seen, answer


def site(pages: dict[str, Any]) -> Route:
    """A server with these JSON pages and nothing else; a str is sent as a stream."""

    def route(seen: Seen) -> list[Op]:
        page = pages.get(seen.path)
        if page is None and {"/api/v1/models", "/api/v0/models"} & set(pages):  # as LM Studio does
            words = f"Unexpected endpoint or method. ({seen.method} {seen.path})"
            return answer(json.dumps({"error": words}), "application/json")
        if page is None:
            return answer('{"error":"no such page"}', "application/json", 404)
        if isinstance(page, str):
            return answer(page, "application/x-ndjson" if seen.path.startswith("/api") else "text/event-stream")
        return answer(json.dumps(page), "application/json")

    return route


OLLAMA: dict[str, Any] = {
    "/api/version": {"version": "0.12.0"},
    "/api/tags": {
        "models": [
            {"name": "qwen:7b", "size": 4_000, "details": {"parameter_size": "7B", "quantization_level": "Q4"}},
            {"name": "tiny"},
        ]
    },
    "/api/ps": {"models": [{"name": "tiny"}]},
    "/api/show": {
        "model_info": {"general.architecture": "qwen2", "qwen2.context_length": 131_072},
        "capabilities": ["completion", "tools"],
    },
}
LLAMACPP: dict[str, Any] = {
    "/props": {"default_generation_settings": {"n_ctx": 4096}, "modalities": {"vision": True}, "build_info": "b1"},
    "/v1/models": {"data": [{"id": "file", "meta": {"n_ctx_train": 8192, "size": 9}}]},
}
LMSTUDIO: dict[str, Any] = {
    "/v1/models": {"data": [{"id": "a"}]},
    "/api/v1/models": {
        "models": [
            {
                "key": "a",
                "display_name": "A",
                "max_context_length": 32_768,
                "size_bytes": 5,
                "capabilities": {"vision": False, "trained_for_tool_use": True},
                "loaded_instances": [{"config": {"context_length": 8_192}}],
            },
            {"type": "embedding", "key": "nomic", "max_context_length": 2_048, "loaded_instances": []},
        ]
    },
}
LMSTUDIO_OLD: dict[str, Any] = {
    "/v1/models": {"data": [{"id": "a"}]},
    "/api/v0/models": {
        "data": [
            {"id": "a", "type": "vlm", "state": "not-loaded", "max_context_length": 2048, "capabilities": ["tool_use"]}
        ]
    },
}
VLLM: dict[str, Any] = {
    "/version": {"version": "0.11"},
    "/v1/models": {"data": [{"id": "m", "owned_by": "vllm", "max_model_len": 40_960}]},
}
LOCALAI: dict[str, Any] = {"/system": {"backends": []}, "/v1/models": {"data": [{"id": "m"}]}}
OTHER: dict[str, Any] = {
    "/v1/models": {"data": [{"id": "m", "context_length": 100, "top_provider": {"max_completion_tokens": 7}}, {}]}
}
