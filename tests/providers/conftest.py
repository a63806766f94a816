"""Fixtures of all provider tests; `harness.py` describes them."""

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest
import stamina

from tests.providers.harness import open_provider
from tests.providers.provider_cases import (
    TWOCHAT,
    WACR,
    WAGATEWAY,
    WASEND,
    WUTS,
    TwoChatHarness,
    WacrHarness,
    WaGatewayHarness,
    WasendHarness,
    WutsHarness,
)


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Repeat reads as often as always, without the waits between: at each look at the clock, an hour has passed."""
    monkeypatch.setattr("providers.http.monotonic", itertools.count(step=3600.0).__next__)
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


@pytest.fixture
async def twochat() -> AsyncIterator[TwoChatHarness]:
    async with open_provider(TWOCHAT) as harness:
        yield harness
        assert harness.breaches() == []


@pytest.fixture
async def wacr() -> AsyncIterator[WacrHarness]:
    async with open_provider(WACR) as harness:
        yield harness
        assert harness.breaches() == []


@pytest.fixture
async def wagateway() -> AsyncIterator[WaGatewayHarness]:
    async with open_provider(WAGATEWAY) as harness:
        yield harness
        assert harness.breaches() == []


@pytest.fixture
async def wasend() -> AsyncIterator[WasendHarness]:
    async with open_provider(WASEND) as harness:
        yield harness
        assert harness.breaches() == []


@pytest.fixture(params=["", "sdk"], ids=["docs", "sdk"])
async def variant(request: pytest.FixtureRequest) -> AsyncIterator[WasendHarness]:
    async with open_provider(WASEND, variant=request.param) as harness:
        yield harness
        assert harness.breaches() == []


@pytest.fixture
async def wuts() -> AsyncIterator[WutsHarness]:
    async with open_provider(WUTS) as harness:
        yield harness
        assert harness.breaches() == []
