"""Group commit for SQLite, which has one writer at a time and syncs the disk at every commit."""

import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine

MAX_GROUP = 100
"""The largest number of transactions with one commit, so that the first need not wait long for the last."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Waiting:
    work: Callable[[Connection], Any]
    future: Future[Any]


@dataclass(frozen=True, slots=True)
class _Finished:
    """The end of one work of a group, not yet committed."""

    future: Future[Any]
    result: Any = None
    error: Exception | None = None


class GroupCommit:
    """Runs transactions in one thread, in the order of their arrival. Those that wait together share a commit.

    Each still succeeds or fails alone: it has a savepoint of its own.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: deque[_Waiting] = deque()
        self._thread = ThreadPoolExecutor(1, "rollcall-writer")

    def submit(self, work: Callable[[Connection], T]) -> "Future[T]":
        """Run `work` in a transaction. The future has its result once that is committed."""
        future: Future[T] = Future()
        self._waiting.append(_Waiting(work, future))
        self._thread.submit(self._run_waiting)
        return future

    def close(self) -> None:
        """Stop after the current transaction, without waiting for it."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        while self._waiting:
            self._waiting.popleft().future.cancel()

    def _run_waiting(self) -> None:
        """Run what waits now. The calls that were submitted with it will find nothing."""
        group: list[_Waiting] = []
        while self._waiting and len(group) < MAX_GROUP:
            waiting = self._waiting.popleft()
            if waiting.future.set_running_or_notify_cancel():
                group.append(waiting)
        if not group:
            return
        try:
            with self._engine.begin() as connection:
                if len(group) == 1:
                    finished = [_Finished(group[0].future, result=group[0].work(connection))]
                else:
                    finished = [_run(connection, waiting) for waiting in group]
        except Exception as error:  # noqa: BLE001 - each caller gets it
            for waiting in group:
                waiting.future.set_exception(error)
            return
        for each in finished:
            if each.error is None:
                each.future.set_result(each.result)
            else:
                each.future.set_exception(each.error)


def _run(connection: Connection, waiting: _Waiting) -> _Finished:
    """Run one work of a group in its savepoint. Raises its error if SQLite has rolled back the whole transaction."""
    try:
        with connection.begin_nested():
            return _Finished(waiting.future, result=waiting.work(connection))
    except Exception as error:
        if not _is_open(connection):
            raise
        return _Finished(waiting.future, error=error)


def _is_open(connection: Connection) -> bool:
    """Return whether a transaction is open: errors such as a full disk end it (sqlite.org, "Transactions", 3.1)."""
    driver = connection.connection.driver_connection
    return isinstance(driver, sqlite3.Connection) and driver.in_transaction
