"""What all provider tests share."""

import itertools
from collections.abc import Iterator

import pytest
import stamina


@pytest.fixture(autouse=True)
def _no_waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let reads be repeated as often as always, without the waits between: at each look, an hour has gone by."""
    monkeypatch.setattr("providers.http.monotonic", itertools.count(step=3600.0).__next__)
    with stamina.set_testing(True, attempts=4, cap=True):
        yield
