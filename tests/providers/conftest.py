"""What all provider tests share."""

from collections.abc import Iterator

import pytest
import stamina


@pytest.fixture(autouse=True)
def _no_waits() -> Iterator[None]:
    """Let reads be repeated as often as always, without the waits between."""
    with stamina.set_testing(True, attempts=4, cap=True):
        yield
