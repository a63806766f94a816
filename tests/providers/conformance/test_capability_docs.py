from pathlib import Path

from providers.base import Ability, Action, ProviderCapability
from providers.capability_docs import PROVIDERS, operations, overview
from providers.registry import make_provider
from tests.providers.provider_cases import PROVIDER_CASES

PAGE = Path(__file__).parents[3] / "docs" / "providers.md"


def test_the_page_is_what_make_docs_writes() -> None:
    assert PAGE.read_text() == overview()


def test_every_provider_is_in_the_overview_in_the_registry_and_has_a_kit() -> None:
    assert list(PROVIDERS) == list(PROVIDER_CASES)
    for provider in PROVIDER_CASES.values():
        adapter = make_provider(provider.name, base_url="https://example.com", token="t", account=provider.account)
        assert type(adapter) is PROVIDERS[provider.name][1]


def test_the_table_shows_what_is_needed_what_cannot_be_done_and_each_note_once() -> None:
    add = Ability(ProviderCapability.SEND, native=("send", "read"), note="It says nothing of anybody.")
    lines = operations(
        {"wagateway": {Action.ADD: add}, "wuts": {Action.LEAVE: Ability(ProviderCapability.GROUPS_WRITE)}}
    )
    assert lines == [
        "| Action | WhatsApp Gateway | WUTS |",
        "| --- | --- | --- |",
        "| add | `send` (`send`, `read`)[^1] | — |",
        "| leave | — | `groups:write` |",
        "",
        "[^1]: It says nothing of anybody.",
    ]
