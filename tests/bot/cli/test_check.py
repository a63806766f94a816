from pathlib import Path

import pytest

from bot.cli import check
from bot.cli.check import Finding, run_checks
from bot.commands.manifest import BOT_SCOPES
from bot.config import load
from providers.base import Usage
from sandbox.providers.server import InjectedFault
from sandbox.providers.wacr import WacrServer
from sandbox.sandbox import SIMULATORS, Sandbox, serve_sandbox
from sandbox.slack.server import SlackServer
from sandbox.slack.workspace import Channel, ChannelInfo
from tests.bot.cli.test_cli import checked

GONE = {"wacr": "99", "wagateway": "1@g.us", "wasend": "1@g.us", "wuts": "1@g.us", "twochat": "WAG-gone"}
"""The id of a group that the account doesn't see, in the form of each provider."""


async def checks_of(
    played: Sandbox, folder: Path, *, max_wait: float = 30.0, more: str = "", slack: str = ""
) -> dict[str, Finding]:
    config = folder / "rollcall.toml"
    text = played.config(f"sqlite:///{folder}/rollcall.db") + more
    config.write_text(text.replace("[slack]\n", f"[slack]\n{slack}", 1))
    findings = await run_checks(load(config, played.environment()), max_wait=max_wait)
    return {finding.subject.removeprefix("connection "): finding for finding in findings}


def add_channels(slack: SlackServer) -> None:
    """Add a public channel without the bot, and two private ones, of which it is in one."""
    bot = slack.workspace.seed.bot_user_id
    infos = (
        ChannelInfo("C0OPEN", "open", ("U01ALICE",)),
        ChannelInfo("C0CLOSED", "closed", ("U01ALICE",), "groups"),
        ChannelInfo("C0INSIDE", "inside", ("U01ALICE", bot), "groups"),
    )
    for info in infos:
        slack.workspace.channels[info.id] = Channel(info, set(info.members))


async def test_each_connection_shows_its_state_groups_and_limits(tmp_path: Path) -> None:
    async with serve_sandbox(scopes=BOT_SCOPES) as played:
        wacr = played.providers["wacr"]
        assert isinstance(wacr, WacrServer)
        wacr.contact_limit = 4
        wacr.world.put_group("8", "Another", ["14155550101", "14155550102", "14155550103", "14155550104"])
        findings = await checks_of(played, tmp_path)

    assert all(finding.ok for finding in findings.values()), findings
    details = {name: finding.detail.splitlines() for name, finding in findings.items()}
    assert details["wacr"][0].startswith("connected, Example Ltd")
    assert details["wacr"][0].endswith("; 2 groups")
    assert details["wacr"][1] == "limits: Total Contacts 4 of 4 (USED UP), Team Members 2 of 3"
    assert details["wagateway"] == [
        "connected, working; 1 group",
        "limits: messages per minute at most 20, messages per hour at most 600",
    ]
    assert details["wasend"] == ["connected; 1 group"]
    assert findings["configuration"].detail == "5 connections, 5 groups, 3 roles, 0 approval rules"


async def test_an_alias_that_the_account_does_not_see_fails(tmp_path: Path) -> None:
    names = list(SIMULATORS)
    more = "".join(f'\n[groups.gone-{name}]\nconnection = "{name}"\nid = "{GONE[name]}"\n' for name in names)
    async with serve_sandbox(names, scopes=BOT_SCOPES) as played:
        findings = await checks_of(played, tmp_path, more=more)

    for name in names:
        assert not findings[name].ok
        assert f"groups.gone-{name}: the account doesn't see {GONE[name]}." in findings[name].detail
        assert f"groups.{name}-team" not in findings[name].detail


@pytest.mark.parametrize("key", ["approvals_channel"])
@pytest.mark.parametrize(
    ("channel", "ok", "detail"),
    [
        ("C0NOWHERE", False, "C0NOWHERE doesn't exist, or it's private and the bot isn't in it."),
        ("C0CLOSED", False, "C0CLOSED doesn't exist, or it's private and the bot isn't in it."),
        ("C0OPEN", True, "#open"),
        ("C0INSIDE", True, "#inside"),
    ],
)
async def test_a_channel_in_which_the_bot_cannot_post_fails(
    tmp_path: Path, key: str, channel: str, ok: bool, detail: str
) -> None:
    async with serve_sandbox(["wasend"], scopes=BOT_SCOPES) as played:
        add_channels(played.slack)
        findings = await checks_of(played, tmp_path, slack=f'{key} = "{channel}"\n')

    assert (findings[f"slack.{key}"].ok, findings[f"slack.{key}"].detail[: len(detail)]) == (ok, detail)


async def test_a_public_channel_needs_the_scope_or_the_bot_in_it(tmp_path: Path) -> None:
    async with serve_sandbox(["wasend"], scopes=set(BOT_SCOPES) - {"chat:write.public"}) as played:
        add_channels(played.slack)
        findings = await checks_of(played, tmp_path, slack='approvals_channel = "C0OPEN"\n')

    assert findings["slack.approvals_channel"] == Finding(
        "slack.approvals_channel", ok=False, detail="The bot isn't in #open. Invite it there."
    )


@pytest.mark.parametrize(("value", "text"), [(1_000_000, "1,000,000"), (12_345_678.0, "12,345,678"), (2.5, "2.50")])
def test_numbers_are_written_for_people(value: float, text: str) -> None:
    assert check._limit(Usage("messages", value, None)) == f"messages {text} used"


async def test_the_table_fits_one_screen(tmp_path: Path) -> None:
    async with serve_sandbox(scopes=BOT_SCOPES) as played:
        result = await checked(played, tmp_path, COLUMNS="80")

    assert result.returncode == 0, result.stdout
    assert len(result.stdout.splitlines()) <= 24


@pytest.mark.parametrize(
    ("slow", "ok", "expected"),
    [
        ("/groups", True, "groups not read in time"),
        ("", False, "no answer within 0.4 seconds"),
    ],
)
async def test_a_connection_without_an_answer_times_out(tmp_path: Path, slow: str, ok: bool, expected: str) -> None:
    async with serve_sandbox(["wagateway", "wasend"], scopes=BOT_SCOPES) as played:
        played.providers["wagateway"].faults.append(InjectedFault(match=slow, status=0, times=-1))
        findings = await checks_of(played, tmp_path, max_wait=0.4)

    assert findings["wagateway"].ok is ok
    assert expected in findings["wagateway"].detail
    assert "1 group" in findings["wasend"].detail


async def test_unreadable_groups_are_shown_and_fail_nothing(tmp_path: Path) -> None:
    async with serve_sandbox(["wasend"], scopes=BOT_SCOPES) as played:
        group = SIMULATORS["wasend"].group_id
        played.providers["wasend"].faults.append(InjectedFault(match="/groups", status=403, times=-1))
        findings = await checks_of(played, tmp_path)

    assert findings["wasend"].ok
    assert "groups not read: " in findings["wasend"].detail
    assert group not in findings["wasend"].detail


async def test_provider_text_is_printed_unchanged(tmp_path: Path) -> None:
    async with serve_sandbox(["wasend"], scopes=BOT_SCOPES) as played:
        played.providers["wasend"].faults.append(InjectedFault(status=400, body='{"message": "not [/here]"}', times=-1))
        result = await checked(played, tmp_path)

    assert (result.returncode, result.stderr) == (1, "")
    assert "not [/here]" in result.stdout
