"""The process that serves a model file: llama.cpp on a private loopback port. Run by `embedded.py`, never imported.

It stands apart because a crash in native code must not take the screen. It speaks one JSON line on stdout when it
is ready or has failed, and ends when its stdin closes, so that it never outlives the program that started it.
"""

import argparse
import asyncio
import json
import os
import sys
from contextlib import AsyncExitStack
from typing import Any, cast

KEY_VARIABLE = "REIN_TUI_EMBEDDED_KEY"


def main() -> None:
    """Load, say so, serve until stdin ends."""
    parser = argparse.ArgumentParser(description="Serve one model file on loopback.")
    parser.add_argument("--model", required=True)
    parser.add_argument("--alias", required=True)
    parser.add_argument("--context", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--own-template", action="store_true", help="use ChatML with tools instead of the model's")
    parser.add_argument("--force-calls", action="store_true", help="begin a call whenever one may be due")
    arguments = parser.parse_args()
    try:
        server = _load(arguments)
    except (ImportError, RuntimeError, ValueError, OSError) as error:
        _say(event="failed", message=str(error) or type(error).__name__)
        os._exit(1)
    asyncio.run(_serve(str(server.listening_address), arguments.force_calls))
    os._exit(0)  # native threads do not end by themselves


def _load(arguments: argparse.Namespace) -> Any:
    import xllamacpp  # pyright: ignore[reportMissingTypeStubs] - a native wheel without types

    params = cast(Any, xllamacpp).CommonParams()
    params.model.path = arguments.model
    params.model_alias = {arguments.alias}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [os.environ[KEY_VARIABLE]]
    params.n_ctx = arguments.context
    params.n_parallel = 1
    params.n_batch = params.n_ubatch = 512
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = arguments.threads
    params.offline = True
    params.ui = False
    params.cache_ram_mib = 256
    if arguments.own_template:
        from .embedded_front import TEMPLATE

        params.chat_template = TEMPLATE
    return cast(Any, xllamacpp).Server(params)


async def _serve(url: str, force: bool) -> None:
    from .embedded_front import open_front

    async with AsyncExitStack() as stack:
        if force:
            url = f"http://127.0.0.1:{await stack.enter_async_context(open_front(int(url.rsplit(':', 1)[1])))}"
        _say(event="ready", url=url)
        await asyncio.to_thread(sys.stdin.buffer.read)


def _say(**line: str) -> None:
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
