"""SQLite as Rollcall needs it: durable at every commit, one process at a time, a clock finer than a second."""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class SqliteConnection(sqlite3.Connection):
    """A connection in WAL mode, synced at every commit.

    `unixepoch('subsec')` and `strftime('%s', 'now')` use Python's clock: older versions of SQLite return whole
    seconds, which would make the engine's timers coarse.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.execute("PRAGMA busy_timeout = 30000")
        self.execute("PRAGMA journal_mode = WAL")
        self.execute("PRAGMA synchronous = FULL")
        self.create_function("unixepoch", -1, _unixepoch)
        self.create_function("strftime", -1, _strftime)


def _unixepoch(*args: str) -> float | int:
    return time.time() if "subsec" in args or "subsecond" in args else int(time.time())


def _strftime(pattern: str, *args: str) -> str | None:
    if pattern == "%s" and args in {("now",), ()}:
        return str(int(time.time()))
    raise ValueError(f"strftime({pattern!r}) is not expected here")


class AlreadyRunning(Exception):
    """Another process uses the database. Two processes would run each other's work."""


@contextmanager
def hold_lock_file(database: Path) -> Iterator[None]:
    """Lock the file beside `database` while this process uses it.

    Raises:
        AlreadyRunning: another process has locked it; the message names its process id.
    """
    path = database.with_name(database.name + ".lock")
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise AlreadyRunning(
                f"{database} is in use by another rollcall process (pid {holder}); stop it first."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
