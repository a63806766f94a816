from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.app import RunningApp, running_app


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[RunningApp]:
    async with running_app(tmp_path) as app:
        yield app
