"""The command line as a process: its exit codes and its output."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from bot.storage.sqlite import hold_lock_file
from sandbox.sandbox import Sandbox, serve_sandbox

CLEAN = {name: value for name, value in os.environ.items() if not name.startswith(("ROLLCALL_", "SLACK_"))}


def rollcall(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=cwd,
        env={**CLEAN, "PYTHONPATH": str(Path(__file__).parents[3]), "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "rollcall.toml"
    path.write_text('[connections.main]\nprovider = "wuts"\n[groups.team]\nconnection = "mian"\nid = "1@g.us"\n')
    return path


def test_a_wrong_configuration_is_one_line_and_exit_code_2(config: Path) -> None:
    for command in (["run"], ["check"], ["db", "upgrade"]):
        result = rollcall(*command, cwd=config.parent, ROLLCALL_CONNECTIONS__MAIN__TOKEN="secret-token")

        assert result.returncode == 2
        assert len(result.stderr.strip().splitlines()) == 1
        assert "groups.team.connection" in result.stderr
        assert "main" in result.stderr
        assert "secret-token" not in result.stderr


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    result = rollcall("run", "--config", "nowhere.toml", cwd=tmp_path)

    assert result.returncode == 2
    assert "nowhere.toml" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_check_lists_every_error(config: Path) -> None:
    config.write_text(config.read_text() + "[roles.lead]\nmembers = []\n")
    environment = {"ROLLCALL_CONNECTIONS__MAIN__TOKEN": "secret-token"}
    check, run = (rollcall(command, cwd=config.parent, **environment) for command in ("check", "run"))

    lines = check.stderr.splitlines()
    assert (check.returncode, run.returncode) == (2, 2)
    assert len(lines) == 3, lines
    assert [line for line in lines if line.startswith("rollcall: rollcall.toml: ")] == lines
    assert run.stderr == f"{lines[0]} (and 2 more; `rollcall check` lists them)\n"


def test_the_version_is_printed(tmp_path: Path) -> None:
    result = rollcall("--version", cwd=tmp_path)

    assert (result.returncode, result.stdout) == (0, f"rollcall {version('rollcall')}\n")


async def test_a_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with serve_sandbox(["wasend"]) as played:
            config = tmp_path / "rollcall.toml"
            config.write_text(played.config(f"sqlite:///{tmp_path}/rollcall.db", port=port))
            result = await asyncio.to_thread(rollcall, "run", cwd=tmp_path, **played.environment())

    said = [line for line in result.stderr.splitlines() if not line.startswith("{")]
    assert result.returncode == 2
    assert said == [
        f"rollcall: server.port: port {port} of 127.0.0.1 is taken; stop the program that uses it, or set another port"
    ]


def test_wrong_usage_is_exit_code_2(tmp_path: Path) -> None:
    assert rollcall("dance", cwd=tmp_path).returncode == 2
    assert rollcall("manifest", "--url", "http://insecure.example.com", cwd=tmp_path).returncode == 2


def test_the_manifest_is_printed_for_both_modes(tmp_path: Path) -> None:
    socket_mode = yaml.safe_load(rollcall("manifest", cwd=tmp_path).stdout)
    http = yaml.safe_load(rollcall("manifest", "--url", "https://bot.example.com", cwd=tmp_path).stdout)

    assert socket_mode["settings"]["socket_mode_enabled"] is True
    assert http["features"]["slash_commands"][0]["url"] == "https://bot.example.com/slack/events"


def test_db_upgrade_creates_the_database_and_can_be_repeated(config: Path) -> None:
    config.write_text(config.read_text().replace("mian", "main"))
    for _ in range(2):
        result = rollcall("db", "upgrade", cwd=config.parent, ROLLCALL_CONNECTIONS__MAIN__TOKEN="t0ken")
        assert result.returncode == 0, result.stderr
    assert (config.parent / "rollcall.db").exists()


async def checked(played: Sandbox, folder: Path, **changed: str) -> subprocess.CompletedProcess[str]:
    """Run `rollcall check` against a sandbox, which keeps running in this process."""
    config = folder / "rollcall.toml"
    config.write_text(played.config(f"sqlite:///{folder}/rollcall.db"))
    environment: Mapping[str, str] = {**played.environment(), **changed}
    return await asyncio.to_thread(rollcall, "check", cwd=folder, **environment)


async def test_check_passes_when_slack_and_every_connection_answer(tmp_path: Path) -> None:
    async with serve_sandbox() as played:
        result = await checked(played, tmp_path)

    assert result.returncode == 0, result.stdout + result.stderr
    for name in ("configuration", "Slack", *played.providers):
        assert name in result.stdout
    assert "FAILED" not in result.stdout


async def test_check_names_failures_and_exits_with_1(tmp_path: Path) -> None:
    async with serve_sandbox(["wasend", "twochat"]) as played:
        played.providers["wasend"].account_state = "disconnected"
        result = await checked(
            played, tmp_path, SLACK_BOT_TOKEN="xoxb-wrong", ROLLCALL_CONNECTIONS__TWOCHAT__TOKEN="wrong-token"
        )

    failed = [line for line in result.stdout.splitlines() if "FAILED" in line]
    assert result.returncode == 1
    assert len(failed) == 3
    assert "xoxb-wrong" not in result.stdout + result.stderr
    assert "wrong-token" not in result.stdout + result.stderr


async def test_a_second_process_on_one_database_exits_with_one_line(tmp_path: Path) -> None:
    async with serve_sandbox(["wasend"]) as played:
        config = tmp_path / "rollcall.toml"
        config.write_text(played.config(f"sqlite:///{tmp_path}/rollcall.db"))
        with hold_lock_file(tmp_path / "rollcall.db"):
            result = await asyncio.to_thread(rollcall, "run", cwd=tmp_path, **played.environment())

    assert result.returncode == 2
    assert f"pid {os.getpid()}" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(("name", "wrong"), [("SLACK_BOT_TOKEN", "xoxb-wrong"), ("SLACK_APP_TOKEN", "xapp-wrong")])
async def test_a_token_that_slack_rejects_is_named(tmp_path: Path, name: str, wrong: str) -> None:
    async with serve_sandbox(["wasend"]) as played:
        changed = {**played.environment(socket_mode=True), name: wrong}
        checked_result = await checked(played, tmp_path, **changed)
        started = await asyncio.to_thread(rollcall, "run", cwd=tmp_path, **changed)

    assert (checked_result.returncode, started.returncode) == (1, 2)
    assert len(started.stderr.strip().splitlines()) == 1
    assert f"{name}: Slack refuses it (" in checked_result.stdout
    assert f"{name}: Slack refuses it (" in started.stderr
    assert "wrong" not in checked_result.stdout + started.stderr


def test_an_unreachable_database_is_one_line(config: Path) -> None:
    config.write_text(config.read_text().replace("mian", "main"))
    result = rollcall(
        "db",
        "upgrade",
        cwd=config.parent,
        ROLLCALL_CONNECTIONS__MAIN__TOKEN="t0ken",
        ROLLCALL_STORAGE__URL="postgresql://user@127.0.0.1:9/none",
    )

    assert result.returncode == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert "storage.url" in result.stderr


async def test_an_address_that_is_not_slack_is_one_line(tmp_path: Path) -> None:
    async with serve_sandbox(["wasend"]) as played:
        config = tmp_path / "rollcall.toml"
        config.write_text(played.config(f"sqlite:///{tmp_path}/rollcall.db"))
        result = await asyncio.to_thread(
            rollcall, "run", cwd=tmp_path, **played.environment(), ROLLCALL_SLACK__API_URL=f"{played.urls['wasend']}/"
        )

    assert result.returncode == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert "slack.api_url" in result.stderr
