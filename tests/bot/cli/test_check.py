from pathlib import Path

import pytest

from bot.cli.check import Finding, run_checks
from bot.commands.manifest import BOT_SCOPES
from bot.config import load
from sandbox.providers.server import InjectedFault
from sandbox.providers.wacr import WacrServer
from sandbox.sandbox import SIMULATORS, Sandbox, serve_sandbox
from tests.bot.cli.test_cli import checked


async def checks_of(played: Sandbox, folder: Path, *, max_wait: float = 30.0, more: str = "") -> dict[str, Finding]:
    config = folder / "rollcall.toml"
    config.write_text(played.config(f"sqlite:///{folder}/rollcall.db") + more)
    findings = await run_checks(load(config, played.environment()), max_wait=max_wait)
    return {finding.subject.removeprefix("connection "): finding for finding in findings}


async def test_each_connection_shows_state_groups_limits_and_gaps(tmp_path: Path) -> None:
    async with serve_sandbox(scopes=BOT_SCOPES) as played:
        wacr = played.providers["wacr"]
        assert isinstance(wacr, WacrServer)
        wacr.contact_limit = 4
        wacr.world.put_group("8", "Another", ["14155550101", "14155550102", "14155550103", "14155550104"])
        findings = await checks_of(played, tmp_path, more='\n[groups.gone]\nconnection = "wasend"\nid = "1@g.us"\n')

    assert all(finding.ok for finding in findings.values()), findings
    details = {name: finding.detail.splitlines() for name, finding in findings.items()}
    assert details["wacr"][0].startswith("connected, Example Ltd")
    assert "groups: 2 visible" in details["wacr"]
    assert "limits: Total Contacts 4 of 4 (USED UP), Team Members 2 of 3, " in findings["wacr"].detail
    assert details["wagateway"][2] == "limits: messages per minute at most 20, messages per hour at most 600"
    assert details["wasend"][:2] == ["connected", "groups: 1 visible; not visible: gone"]
    assert details["wuts"][-1] == "not supported: lock the info, delete a group, limits and usage"
    assert all(details[name][-1].startswith("not supported: ") for name in played.providers)


@pytest.mark.parametrize(
    ("slow", "ok", "expected"),
    [
        ("/groups", True, "groups: not read in time"),
        ("", False, "no answer within 0.4 seconds"),
    ],
)
async def test_a_connection_without_an_answer_times_out(tmp_path: Path, slow: str, ok: bool, expected: str) -> None:
    async with serve_sandbox(["wagateway", "wasend"], scopes=BOT_SCOPES) as played:
        played.providers["wagateway"].faults.append(InjectedFault(match=slow, status=0, times=-1))
        findings = await checks_of(played, tmp_path, max_wait=0.4)

    assert findings["wagateway"].ok is ok
    assert expected in findings["wagateway"].detail
    assert "groups: 1 visible" in findings["wasend"].detail


async def test_unreadable_groups_are_shown_and_fail_nothing(tmp_path: Path) -> None:
    async with serve_sandbox(["wasend"], scopes=BOT_SCOPES) as played:
        group = SIMULATORS["wasend"].group_id
        played.providers["wasend"].faults.append(InjectedFault(match="/groups", status=403, times=-1))
        findings = await checks_of(played, tmp_path)

    assert findings["wasend"].ok
    assert "groups: not read: " in findings["wasend"].detail
    assert group not in findings["wasend"].detail


async def test_provider_text_is_printed_unchanged(tmp_path: Path) -> None:
    async with serve_sandbox(["wasend"], scopes=BOT_SCOPES) as played:
        played.providers["wasend"].faults.append(InjectedFault(status=400, body='{"message": "not [/here]"}', times=-1))
        result = await checked(played, tmp_path)

    assert (result.returncode, result.stderr) == (1, "")
    assert "not [/here]" in result.stdout
