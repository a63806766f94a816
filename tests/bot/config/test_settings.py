from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel, SecretStr, ValidationError

from bot.config import ConfigurationError, Settings, load
from bot.domain.access import Capability, Role
from bot.domain.approvals import ApprovalRule
from providers.base import Operation
from tests.bot.configuration import FILE, TOKENS, read

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def leaves(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the path of every key, with `<name>` where people choose one."""
    for name, field in model.model_fields.items():
        section = next((s for s in (field.annotation, *get_args(field.annotation)) if _is_section(s)), None)
        named = ("<alias>",) if name == "groups" else ("<name>",)
        is_named = isinstance(field.default_factory, type) and issubclass(field.default_factory, dict)
        if section is None:
            yield (*path, name)
        else:
            yield from leaves(section, (*path, name, *(named if is_named else ())))


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


# Reading


def test_a_file_and_tokens_from_the_environment_are_enough() -> None:
    settings = read()

    assert settings.connections["support"].token == SecretStr("hush-support")
    assert settings.connections["us-west"].token == SecretStr("hush-west")
    assert settings.connections["us-west"].pace.gap == timedelta(seconds=5)
    assert settings.groups["launch-team"].connection == "support"


def test_missing_keys_have_safe_defaults() -> None:
    settings = read()

    assert settings.slack.api_url == "https://slack.com/api/"
    assert settings.slack.approvals_channel is None
    assert settings.storage.url == "sqlite:///rollcall.db"
    assert (settings.server.host, settings.server.port) == ("127.0.0.1", 3000)
    pace = settings.connections["support"].pace
    assert (pace.batch, pace.gap, pace.jitter, pace.per_day) == (10, timedelta(seconds=5), 0.3, 500)
    assert settings.connections["support"].base_url is None
    assert settings.connections["support"].verify_after == (
        timedelta(seconds=2),
        timedelta(seconds=30),
        timedelta(minutes=3),
    )


def test_roles_are_converted_for_the_domain() -> None:
    assert read().access_roles() == (
        Role(
            name="operator",
            members=frozenset({"U01ALICE", "S0OPERATORS"}),
            capabilities=frozenset({Capability.GROUPS_READ, Capability.SEND}),
            groups=("launch-*",),
        ),
        Role(name="lead", members=frozenset({"U02BOB"}), capabilities=frozenset({Capability.APPROVE}), groups=("*",)),
    )


def test_approval_rules_keep_their_order() -> None:
    second = '\n[[approvals]]\noperations = ["send"]\napprovers = ["lead"]\n'

    assert read(FILE + second).approval_rules() == (
        ApprovalRule(
            operations=frozenset({Operation.ADD, Operation.REMOVE}),
            groups=("*",),
            min_participants=20,
            approvers=("lead",),
            quorum=1,
            expires_after=timedelta(minutes=90),
            remind_after=timedelta(minutes=30),
        ),
        ApprovalRule(
            operations=frozenset({Operation.SEND}),
            groups=("*",),
            min_participants=0,
            approvers=("lead",),
            quorum=1,
            expires_after=timedelta(hours=24),
            remind_after=None,
        ),
    )


def test_the_example_loads_with_the_tokens_alone() -> None:
    settings = load(ROOT / "rollcall.example.toml", TOKENS)

    assert settings.slack.approvals_channel == "C0APPROVALS"
    assert settings.approvals[0].expires_after == timedelta(hours=24)


def test_the_example_shows_every_key() -> None:
    example = (ROOT / "rollcall.example.toml").read_text(encoding="utf-8")
    secret = {"token", "bot_token", "app_token", "signing_secret"}
    keys = {path[-1] for path in leaves(Settings)} - secret

    assert {key for key in keys if f"{key} = " not in example} == set()


def test_the_documentation_has_every_key_with_its_variable() -> None:
    page = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    documented = [line.split(" | ") for line in page.splitlines() if line.startswith("| `") and "ROLLCALL_" in line]
    rows = {cells[0].strip("| `"): cells[2].split(",")[0].strip("`") for cells in documented}
    expected = {}
    for path in leaves(Settings):
        variable = "ROLLCALL_" + "__".join(part.upper() for part in path)
        expected[".".join(path)] = "ROLLCALL_APPROVALS" if path[0] == "approvals" else variable

    assert rows == expected


def test_kept_people_may_be_written_as_phone_numbers() -> None:
    settings = read(
        FILE.replace("[roles.operator]", 'keep = ["+1 (415) 555-0100", "+44 7700 900123"]\n[roles.operator]')
    )

    assert settings.groups["launch-team"].keep == ("+14155550100", "+447700900123")


def test_settings_never_change() -> None:
    settings = read()

    for place, key in ((settings, "server"), (settings.server, "port"), (settings.connections["support"], "token")):
        with pytest.raises(ValidationError):
            setattr(place, key, getattr(place, key))


def test_secrets_are_not_in_the_representation() -> None:
    settings = read(SLACK_BOT_TOKEN="xoxb-hush", ROLLCALL_STORAGE__URL="postgresql://rollcall:hush@db/rollcall")

    assert settings.storage.url == "postgresql://rollcall:hush@db/rollcall"
    assert "hush" not in repr(settings)


# Slack tokens


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        (
            {"SLACK_APP_TOKEN": "xapp-hush"},
            (
                "SLACK_BOT_TOKEN: slack.bot_token is missing;"
                " copy the bot token (xoxb-…) from the app's OAuth & Permissions page"
            ),
        ),
        (
            {"SLACK_BOT_TOKEN": "xoxb-hush"},
            (
                "SLACK_APP_TOKEN: slack.app_token is missing;"
                " Socket Mode needs SLACK_APP_TOKEN (xapp-…), HTTP needs SLACK_SIGNING_SECRET"
            ),
        ),
        (
            {"SLACK_BOT_TOKEN": "xapp-hush", "SLACK_APP_TOKEN": "xapp-hush"},
            "SLACK_BOT_TOKEN: slack.bot_token is an app-level token; a bot token begins with xoxb-",
        ),
        (
            {"SLACK_BOT_TOKEN": "xoxb-hush", "SLACK_APP_TOKEN": "xoxb-hush"},
            "SLACK_APP_TOKEN: slack.app_token is a bot token; an app-level token begins with xapp-",
        ),
    ],
)
def test_missing_slack_tokens_are_reported_when_needed(environ: dict[str, str], expected: str) -> None:
    settings = read(FILE, TOKENS | environ)

    with pytest.raises(ConfigurationError) as caught:
        settings.require_slack()
    assert str(caught.value) == expected
