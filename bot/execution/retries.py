"""How a step of a request is repeated after an error, and how the request ends if that doesn't help."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import structlog
from sqlalchemy.exc import DataError as InvalidData
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as NoConnection

from bot.storage.postgres import ReplicaFenced

MAX_TRIES = 3
"""How often a step is tried whose error repeating it won't resolve."""
FIRST_DELAY = 0.5
"""Seconds before the second try. Each delay is twice as long as the one before."""
MAX_DELAY = 300.0
"""The longest delay in seconds."""
MAX_DURATION = 864_000.0
"""Seconds for which a transient error is retried: ten days."""
STUCK_AFTER = 3
"""The failed tries after which a step counts as stuck."""

_OWN_DATABASE_ERRORS = (IntegrityError, ProgrammingError, InvalidData)
"""Errors of the database about the statement, which it would report again."""

T = TypeVar("T")
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class StuckStep:
    """A step that keeps failing, and is tried again.

    Attributes:
        request_id: its request.
        name: the step.
        since: when it failed first, aware.
        tries: how often it has failed.
        error: the type of its last error, and the error itself in words.
    """

    request_id: str
    name: str
    since: datetime
    tries: int
    error: str


class GivenUp(Exception):
    """A step failed too often. The log has its error under `reference`."""

    def __init__(self, reference: str) -> None:
        super().__init__(f"given up; the log has the error under {reference}")
        self.reference = reference


class Retries:
    """Repeats steps after errors.

    Args:
        is_transient: returns whether a later call may succeed; errors of the database are known here.
        on_given_up: called with the request, the step and the reference when a step is given up.
        sleep: waits for a number of seconds.
    """

    def __init__(
        self,
        is_transient: Callable[[BaseException], bool] = lambda error: isinstance(error, OSError),
        on_given_up: Callable[[str, str, str], None] = lambda *_: None,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._is_transient = is_transient
        self._on_given_up = on_given_up
        self._sleep = sleep
        self._failing: dict[tuple[str, str], StuckStep] = {}

    def stuck(self) -> Sequence[StuckStep]:
        """Return the steps that keep failing in this process, the oldest first."""
        return [step for step in self._failing.values() if step.tries >= STUCK_AFTER]

    async def run(
        self,
        name: str,
        request_id: str,
        function: Callable[[], Awaitable[T]],
        otherwise: Callable[[str], Awaitable[T]],
    ) -> T:
        """Run a function until it succeeds, and return its result.

        A transient error is retried for `MAX_DURATION`, any other one `MAX_TRIES` times. Then the step is given up:
        `otherwise` is called with the reference under which the log has the error, and its result is returned.

        Raises:
            GivenUp: `otherwise` failed too.
        """
        try:
            return await self._repeat(name, request_id, function)
        except GivenUp as given_up:
            reference = given_up.reference
            self._on_given_up(request_id, name, reference)
            return await self._repeat(f"{name}, given up", request_id, lambda: otherwise(reference))

    async def _repeat(self, name: str, request_id: str, function: Callable[[], Awaitable[T]]) -> T:
        """Run a function until it succeeds, and return its result. Raises `GivenUp`."""
        started, tries, own_errors = time.monotonic(), 0, 0
        try:
            while True:
                try:
                    return await function()
                except Exception as error:
                    tries += 1
                    own_errors += not self._may_pass(error)
                    details = {"step": name, "request": request_id, "error": type(error).__name__, "tries": tries}
                    if own_errors >= MAX_TRIES or time.monotonic() - started > MAX_DURATION:
                        reference = secrets.token_hex(4)
                        log.exception("step_given_up", reference=reference, **details)
                        raise GivenUp(reference) from error
                    log.warning("step_failed", exc_info=True, **details)
                    self._note(name, request_id, tries, error)
                await self._sleep(min(MAX_DELAY, FIRST_DELAY * 2 ** min(tries - 1, 10)))
        finally:
            self._failing.pop((request_id, name), None)

    def _may_pass(self, error: BaseException) -> bool:
        if isinstance(error, DBAPIError):
            return not isinstance(error, _OWN_DATABASE_ERRORS)
        if isinstance(error, ReplicaFenced | NoConnection) or self._is_transient(error):
            return True
        return error.__cause__ is not None and self._may_pass(error.__cause__)

    def _note(self, name: str, request_id: str, tries: int, error: Exception) -> None:
        before = self._failing.get((request_id, name))
        since = before.since if before else datetime.now(UTC)
        text = f"{type(error).__name__}: {error}".split("\n", 1)[0]
        self._failing[request_id, name] = StuckStep(request_id, name, since, tries, text)
