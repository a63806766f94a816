"""A PostgreSQL server for the tests: started once in a session, in a directory that is removed at the end."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_SETTINGS = "-c fsync=off -c full_page_writes=off -c synchronous_commit=off -c listen_addresses='' -k"
_DEBIAN = Path("/usr/lib/postgresql")
_SUPERUSER = "postgres"


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of the database `postgres` of a server on its own Unix socket."""
    binaries = _binaries()
    if binaries is None:
        reason = "PostgreSQL is not installed: no initdb and pg_ctl on the PATH or in /usr/lib/postgresql"
        if "CI" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)
    with _directory() as directory:
        _run(binaries / "initdb", "-D", directory / "data", "-U", _SUPERUSER, "-A", "trust", "-E", "UTF8", "--no-sync")
        server = (binaries / "pg_ctl", "-D", directory / "data", "-s", "-w")
        _run(*server, "-l", directory / "log", "-o", f"{_SETTINGS} {directory}", "start")
        try:
            yield f"postgresql://{_SUPERUSER}@/postgres?host={directory}"
        finally:
            _run(*server, "-m", "immediate", "stop")


def _binaries() -> Path | None:
    """Find the directory of the newest server: on the PATH, otherwise in Debian's directory."""
    on_path = shutil.which("initdb")
    if on_path is not None and shutil.which("pg_ctl") is not None:
        return Path(on_path).resolve().parent
    installed = [path.parent for path in _DEBIAN.glob("*/bin/initdb")]
    return max(installed, key=lambda path: float(path.parent.name), default=None)


@contextmanager
def _directory() -> Iterator[Path]:
    """Create a directory that the server's user can use. Its name is short, because a socket's path is limited."""
    directory = Path(tempfile.mkdtemp(prefix="rollcall-pg-", dir="/tmp"))
    try:
        if os.geteuid() == 0:
            shutil.chown(directory, _SUPERUSER)
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _run(*command: str | Path) -> None:
    """Run a command of the server. It refuses to run as root, so root runs it as another user."""
    as_user = ("runuser", "-u", _SUPERUSER, "--") if os.geteuid() == 0 else ()
    done = subprocess.run(
        [*as_user, *map(str, command)],
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, f"{Path(command[0]).name} failed: {done.stderr}"
