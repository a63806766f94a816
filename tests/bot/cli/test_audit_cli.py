import asyncio
import csv
import io
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.domain.audit import AuditEntry, EntryKind
from bot.domain.audit_chain import GENESIS
from bot.storage.audit import AuditJournal
from bot.storage.requests import RequestStore
from providers.base import Outcome, Verdict
from tests.bot.configuration import TOKENS, read
from tests.bot.storage.databases import open_database
from tests.bot.storage.samples import people, person, request

MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, token in TOKENS.items():
        monkeypatch.setenv(name, token)


@pytest.fixture
def database_file() -> Path:
    """A database with a configuration and two verdicts in its audit journal."""
    settings = read()

    async def fill() -> None:
        async with open_database(settings.storage.url) as database:
            await database.upgrade()
            await AuditJournal(database).record_configuration(settings.public_summary())
            verdicts = [
                AuditEntry(
                    EntryKind.VERDICT, at, "U1", "R1", "add", "support", "1@g.us", typed="=x", phone="+14155550100"
                )
                for at in (MARCH, APRIL)
            ]
            await AuditJournal(database).add(*verdicts)

    asyncio.run(fill())
    return Path("rollcall.db")


def rollcall(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.mark.usefixtures("database_file")
def test_an_intact_journal_is_reported_with_its_last_hash() -> None:
    result = rollcall("audit", "verify")
    last = json.loads(rollcall("audit", "export", "--format", "jsonl").stdout.splitlines()[-1])

    assert result.exit_code == 0
    assert f"Rows: 3. Last hash: {last['hash']}" in result.stdout


def test_a_changed_row_is_one_line_and_exit_code_1(database_file: Path) -> None:
    with closing(sqlite3.connect(database_file)) as connection, connection:
        connection.execute("DROP TRIGGER audit_keeps")
        connection.execute("UPDATE audit SET payload = replace(payload, '=x', '=y') WHERE seq = 2")
    result = rollcall("audit", "verify")

    assert result.exit_code == 1
    assert result.stderr == "rollcall: the audit journal is broken: row 2 was changed\n"


@pytest.mark.parametrize(
    ("left", "expected"),
    [(5, "answers: 1"), (3, "requests: 1, answers: 2"), (0, "requests: 1, answers: 2")],
)
def test_a_truncated_journal_is_one_line_and_exit_code_1(database_file: Path, left: int, expected: str) -> None:
    async def ask() -> None:
        async with open_database(f"sqlite:///{database_file}") as database:
            await RequestStore(database).create(request("R2"), people(2))
            await RequestStore(database).save_verdicts("R2", {n: Verdict(person(n).key, Outcome.ADDED) for n in (0, 1)})

    asyncio.run(ask())
    assert "Rows: 6." in rollcall("audit", "verify").stdout
    with closing(sqlite3.connect(database_file)) as connection, connection:
        for trigger in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {trigger[0]}")
        hash_ = "coalesce((SELECT hash FROM audit WHERE seq = ?), ?)"
        connection.execute(f"UPDATE audit_head SET seq = ?, hash = {hash_}", (left, left, GENESIS))  # noqa: S608
        connection.execute("DELETE FROM audit WHERE seq > ?", (left,))
    result = rollcall("audit", "verify")

    assert result.exit_code == 1
    line = f"the audit journal was truncated: it lacks records of other tables ({expected})"
    assert result.stderr == f"rollcall: {line}\n"


def test_an_unreadable_row_ends_an_export_with_exit_code_1(database_file: Path) -> None:
    with closing(sqlite3.connect(database_file)) as connection, connection:
        connection.execute("DROP TRIGGER audit_keeps")
        connection.execute("UPDATE audit SET payload = '' WHERE seq = 3")
    result = rollcall("audit", "export", "--format", "jsonl")

    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 2
    assert len(result.stderr.splitlines()) == 1
    assert "row 3" in result.stderr


@pytest.mark.usefixtures("database_file")
def test_an_export_is_the_same_in_both_formats() -> None:
    lines = [json.loads(line) for line in rollcall("audit", "export", "--format", "jsonl").stdout.splitlines()]
    rows = list(csv.DictReader(io.StringIO(rollcall("audit", "export").stdout)))

    assert [row["kind"] for row in rows] == ["configuration", "verdict", "verdict"]
    assert [row["typed"] for row in rows] == ["", "'=x", "'=x"]
    for line, row in zip(lines, rows, strict=True):
        assert json.loads(row.pop("details") or "{}") == line.pop("details")
        assert {**row, "typed": row["typed"].removeprefix("'")} == {name: str(line[name]) for name in row}


@pytest.mark.usefixtures("database_file")
@pytest.mark.parametrize(
    ("since", "seqs"),
    [("2026-04-01", [1, 3]), ("2026-04-01T09:00:00Z", [1, 3]), ("2026-04-01T08:00:01-02:00", [1])],
)
def test_an_export_starts_at_the_given_time(since: str, seqs: list[int]) -> None:
    result = rollcall("audit", "export", "--since", since, "--format", "jsonl")

    assert [json.loads(line)["seq"] for line in result.stdout.splitlines()] == seqs


@pytest.mark.usefixtures("database_file")
def test_the_configuration_is_recorded_without_its_secrets() -> None:
    exported = rollcall("audit", "export", "--format", "jsonl").stdout
    kept = json.loads(exported.splitlines()[0])["details"]["configuration"]

    assert kept["roles"]["lead"]["members"] == ["U02BOB"]
    assert kept["connections"]["us-west"]["pace"] == {"batch": 5, "gap": "5s", "jitter": "0.3", "per_day": 500}
    assert kept["groups"]["launch-team"]["id"] == "120363041234567890@g.us"
    assert kept["approvals"][0]["expires_after"] == "5400s"
    assert not any(word in exported for word in ("hush", "token", "secret", "sqlite"))


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["export", "--since", "yesterday"], "--since"),
        (["export", "--format", "xml"], "--format"),
        (["export", "--config", "nowhere.toml"], "nowhere.toml"),
        (["verify"], "storage.url"),
    ],
)
def test_wrong_arguments_are_one_line_and_exit_code_2(arguments: list[str], word: str) -> None:
    read()
    result = rollcall("audit", *arguments)

    assert result.exit_code == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert word in result.stderr
    assert not Path("rollcall.db").exists()


@pytest.mark.usefixtures("database_file")
def test_a_reader_may_close_an_export_early() -> None:
    root = str(Path(__file__).parents[3])
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "audit", "export"],
        env={**TOKENS, "PYTHONPATH": root},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        complaint = process.stderr.read()

    assert (process.returncode, complaint) == (0, "")
