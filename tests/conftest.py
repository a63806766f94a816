"""Fixtures that several packages of tests share."""

import os
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

pytest_plugins = ("tests.postgres", "tests.bot.storage.databases")

settings.register_profile("no deadlines", deadline=None)  # a busy machine isn't a bug
settings.load_profile("no deadlines")


def plain_log() -> None:
    """Log plain lines: structlog's default, a traceback with locals, takes seconds on a busy machine."""
    structlog.configure(
        processors=[
            structlog.stdlib.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(),
        wrapper_class=structlog.BoundLogger,
        cache_logger_on_first_use=False,
    )


@pytest.fixture(autouse=True)
def _restore_log() -> Iterator[None]:
    """Restore the log after each test, because the bot configures it."""
    yield
    plain_log()


plain_log()


def pytest_xdist_auto_num_workers() -> int:
    """Run more processes than there are cores: tests wait for servers as much as they compute."""
    return (os.cpu_count() or 1) * 3 // 2
