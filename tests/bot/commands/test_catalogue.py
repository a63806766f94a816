from pathlib import Path

import pytest

from bot.commands.catalogue import COMMANDS, find_command, nearest_command
from bot.commands.reference import page
from bot.commands.usage import Command
from handlers.commands import HANDLERS

ROOT = Path(__file__).parents[3]


def test_the_page_in_the_documentation_is_made_of_the_declarations() -> None:
    assert (ROOT / "docs/commands.md").read_text(encoding="utf-8") == page()


def test_every_command_of_the_design_is_declared_and_runs() -> None:
    on_people = ["add", "remove", "promote", "demote"]
    verbs = [*on_people, "group", "groups", "create", "settings", "invite", "send", "sync", "requests", "audit"]

    assert [command.verb for command in COMMANDS] == ["", *verbs]
    assert HANDLERS.keys() == {"", *verbs}


@pytest.mark.parametrize("command", COMMANDS)
def test_slack_shows_a_command_whole(command: Command) -> None:
    assert len(command.name) <= 32
    assert len(command.summary) <= 2000
    assert 1 <= len(command.usage_hint) <= 1000


@pytest.mark.parametrize("word", ["settings", "SETTINGS", "wa-settings", "/wa-Settings"])
def test_a_command_is_called_by_its_verb_or_its_name(word: str) -> None:
    found = find_command(word)

    assert found is not None
    assert found.name == "/wa-settings"


@pytest.mark.parametrize(
    ("word", "typed"),
    [
        ("ad", "/wa-add"),
        ("grop", "/wa-group"),
        ("/wa-remov", "/wa-remove"),
        ("Hepl", "/wa help"),
        ("zzz", ""),
        ("", ""),
    ],
)
def test_the_nearest_command_is_found(word: str, typed: str) -> None:
    assert find_command(word) is None
    assert nearest_command(word) == typed
