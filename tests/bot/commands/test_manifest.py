import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot.commands.catalogue import COMMANDS
from bot.commands.manifest import BOT_SCOPES, manifest, manifest_yaml

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "contracts/slack-manifest.schema.2.0.0.json").read_text(encoding="utf-8"))
URL = "https://rollcall.example.com"
EVENTS = f"{URL}/slack/events"


def validate(document: dict[str, Any]) -> None:
    validator = jsonschema.validators.validator_for(SCHEMA)
    validator.check_schema(SCHEMA)
    validator(SCHEMA).validate(document)


@pytest.mark.parametrize("url", [None, URL])
def test_the_manifest_follows_slacks_schema(url: str | None) -> None:
    document = manifest(url)

    validate(document)
    assert document["_metadata"]["major_version"] == 2


def test_the_schema_refuses_what_slack_does_not_know() -> None:
    document = manifest(URL)
    document["settings"]["interactivity"]["requestUrl"] = EVENTS

    with pytest.raises(jsonschema.ValidationError):
        validate(document)


def test_the_file_in_the_root_is_the_socket_mode_manifest() -> None:
    assert (ROOT / "manifest.yml").read_text(encoding="utf-8") == manifest_yaml(None)


@pytest.mark.parametrize("url", [None, URL])
def test_the_yaml_says_what_the_manifest_says(url: str | None) -> None:
    assert yaml.safe_load(manifest_yaml(url)) == manifest(url)


def test_socket_mode_names_no_address() -> None:
    document = manifest(None)

    assert document["settings"]["socket_mode_enabled"] is True
    assert "url" not in json.dumps(document)


@pytest.mark.parametrize("url", [URL, f"{URL}/"])
def test_over_http_everything_goes_to_one_address(url: str) -> None:
    document = manifest(url)

    assert document["settings"]["socket_mode_enabled"] is False
    assert document["settings"]["interactivity"]["request_url"] == EVENTS
    assert document["settings"]["interactivity"]["message_menu_options_url"] == EVENTS
    assert document["settings"]["event_subscriptions"]["request_url"] == EVENTS
    assert {command["url"] for command in document["features"]["slash_commands"]} == {EVENTS}


def test_every_declared_command_is_in_the_manifest() -> None:
    written = [command["command"] for command in manifest()["features"]["slash_commands"]]

    assert written == [command.name for command in COMMANDS]


def test_only_commands_that_take_people_or_user_groups_by_mention_get_them_as_ids() -> None:
    commands = manifest()["features"]["slash_commands"]

    assert [c["command"] for c in commands if c["should_escape"]] == ["/wa", "/wa-sync", "/wa-audit"]


@pytest.mark.parametrize("url", ["http://rollcall.example.com", "rollcall.example.com", "https://", "", f"{URL}/?a=b"])
def test_an_address_that_slack_cannot_call_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="https address"):
        manifest(url)


def test_every_scope_has_its_reason_in_the_documentation() -> None:
    page = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")

    assert [scope for scope, reason in BOT_SCOPES.items() if f"| `{scope}` | {reason} |" not in page] == []
