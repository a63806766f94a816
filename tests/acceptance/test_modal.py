from pathlib import Path

import pytest

from tests.app import RunningApp, group_id, running_app
from tests.slack_ui import ALICE, CHANNEL, modal_title, open_modal, submit_modal


async def open_form(app: RunningApp) -> str:
    """Type `/wa-add` alone, and return the id of the modal that opens."""
    await app.slack.command(ALICE, CHANNEL, "/wa-add", "")
    return str(open_modal(app.slack).body["id"])


async def confirm(app: RunningApp) -> None:
    """Submit the preview that covers the form."""
    assert modal_title(app.slack) == "Preview"
    await submit_modal(app.slack)


async def test_groups_of_all_connections_can_be_searched_by_any_name(tmp_path: Path) -> None:
    async with running_app(tmp_path, providers=["wasend", "twochat"]) as app:
        view = await open_form(app)

        offered = await app.slack.suggest(ALICE, view, "Group", "")
        assert sorted(option["text"]["text"] for option in offered) == [
            "twochat-team · twochat",
            "wasend-team · wasend",
        ]
        by_subject = await app.slack.suggest(ALICE, view, "Group", "wasend te")
        assert [option["text"]["text"] for option in by_subject] == ["wasend-team · wasend"]


async def test_a_form_with_an_error_keeps_its_values(app: RunningApp) -> None:
    view = await open_form(app)
    await app.slack.submit(ALICE, view, {"Group": "wasend-team · wasend", "Numbers": "bogus"})
    assert list(open_modal(app.slack).errors) == ["numbers"]
    assert app.world().events == []

    await app.slack.submit(ALICE, view, {"Numbers": "+1 415 555 0101"})
    await confirm(app)
    await app.finished()
    assert len(app.world().events) == 1


async def test_a_restart_between_preview_and_submission_loses_nothing(app: RunningApp) -> None:
    numbers = "\n".join(f"+1415555{n:04}" for n in range(150))
    view = await open_form(app)
    await app.slack.submit(ALICE, view, {"Group": "wasend-team · wasend", "Numbers": numbers})
    await app.restart()
    await confirm(app)
    await app.wait_for_ephemeral(ALICE, "Adding 150 people")


@pytest.mark.parametrize("typed", ["wasend-team", "WASEND-TEAM", "120363041234567891@g.us", "“Wasend Team”"])
async def test_a_group_is_named_by_alias_id_or_subject(typed: str, app: RunningApp) -> None:
    await app.add(f"{typed} +1 415 555 0101")
    await app.finished()


async def test_a_name_of_two_groups_gets_a_choice(tmp_path: Path) -> None:
    async with running_app(tmp_path, providers=["wasend", "twochat"]) as app:
        for provider in ("wasend", "twochat"):
            app.world(provider).groups[group_id(provider)].subject = "Everybody"
        await app.add("Everybody +1 415 555 0101")

        assert group_id("wasend") in app.last_ephemeral(ALICE)
        assert group_id("twochat") in app.last_ephemeral(ALICE)
