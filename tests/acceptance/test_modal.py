from pathlib import Path

import pytest

from bot import bootstrap
from bot.commands.manifest import BOT_SCOPES
from bot.config import load
from sandbox.sandbox import serve_sandbox
from tests.stage import ALICE, CHANNEL, DAVE, Stage, group_id, stage


async def opened(played: Stage, user: str = ALICE) -> str:
    """Type `/wa-add` alone, and give the id of the modal that opens."""
    await played.slack.command(user, CHANNEL, "/wa-add", "")
    view = played.slack.open_view(user)
    assert view is not None
    return str(view.body["id"])


async def confirm(played: Stage, user: str = ALICE) -> None:
    """Submit the preview that lies over the form."""
    view = played.slack.open_view(user)
    assert view is not None
    assert view.body["title"]["text"] == "Preview"
    assert (await played.slack.submit(user, view.body["id"])).ok


def errors(played: Stage, user: str = ALICE) -> dict[str, str]:
    view = played.slack.open_view(user)
    assert view is not None
    return view.errors


async def test_the_modal_leads_the_same_way_as_the_command(tmp_path: Path) -> None:
    async with stage(tmp_path) as played:
        view = await opened(played)
        await played.slack.submit(
            ALICE, view, {"Group": "wasend-team · wasend", "Numbers": "(415) 555-0101\n+44 7700 900123", "Reason": "x"}
        )
        await confirm(played)
        await played.finished()

        assert played.slack.open_view(ALICE) is None
        members = played.world("wasend").groups[group_id("wasend")].members
        assert sorted(members) == ["14155550101", "447700900123"]


async def test_groups_of_all_connections_can_be_searched_by_any_name(tmp_path: Path) -> None:
    async with stage(tmp_path, providers=["wasend", "twochat"]) as played:
        view = await opened(played)

        offered = await played.slack.suggest(ALICE, view, "Group", "")
        assert sorted(option["text"]["text"] for option in offered) == [
            "twochat-team · twochat",
            "wasend-team · wasend",
        ]
        by_subject = await played.slack.suggest(ALICE, view, "Group", "wasend te")
        assert [option["text"]["text"] for option in by_subject] == ["wasend-team · wasend"]


async def test_an_error_stands_at_its_field_and_what_was_typed_stays(tmp_path: Path) -> None:
    async with stage(tmp_path) as played:
        view = await opened(played)
        await played.slack.submit(ALICE, view, {"Group": "wasend-team · wasend", "Numbers": "nobody"})
        assert list(errors(played)) == ["numbers"]
        assert played.world("wasend").events == []

        await played.slack.submit(ALICE, view, {"Numbers": "+1 415 555 0101"})
        await confirm(played)
        await played.finished()
        assert len(played.world("wasend").events) == 1


async def test_somebody_without_the_right_is_told_so_and_gets_no_form(tmp_path: Path) -> None:
    async with stage(tmp_path) as played:
        await played.slack.command(DAVE, CHANNEL, "/wa-add", "")

        assert played.slack.open_view(DAVE) is None
        assert "groups:write" in played.told(DAVE)


async def test_a_restart_between_preview_and_submission_loses_nothing(tmp_path: Path) -> None:
    async with serve_sandbox(["wasend"], scopes=BOT_SCOPES) as played:
        config = tmp_path / "rollcall.toml"
        config.write_text(played.config(f"sqlite:///{tmp_path}/rollcall.db"))
        numbers = "\n".join(f"+1415555{n:04}" for n in range(150))
        async with bootstrap.running(load(config, played.environment())) as url:
            played.slack.deliverer.request_url = f"{url}/slack/events"
            await played.slack.command(ALICE, CHANNEL, "/wa-add", "")
            form = played.slack.open_view(ALICE)
            assert form
            await played.slack.submit(ALICE, form.body["id"], {"Group": "wasend-team · wasend", "Numbers": numbers})
        async with bootstrap.running(load(config, played.environment())) as url:
            played.slack.deliverer.request_url = f"{url}/slack/events"
            preview = played.slack.open_view(ALICE)
            assert preview
            assert (await played.slack.submit(ALICE, preview.body["id"])).ok
            await played.slack.wait_for(
                lambda: any("Adding 150 people" in m["text"] for m in played.slack.ephemerals(ALICE))
            )


@pytest.mark.parametrize("typed", ["wasend-team", "WASEND-TEAM", "120363041234567891@g.us", "“Wasend Team”"])
async def test_a_group_is_named_by_alias_id_or_subject(typed: str, tmp_path: Path) -> None:
    async with stage(tmp_path) as played:
        await played.add(f"{typed} +1 415 555 0101")
        await played.finished()


async def test_an_unknown_group_gets_the_nearest_names(tmp_path: Path) -> None:
    async with stage(tmp_path, providers=["wasend", "twochat"]) as played:
        await played.add("wasent-team +1 415 555 0101")

        assert "Did you mean “wasend-team”" in played.told(ALICE)
        assert played.slack.messages(CHANNEL) == []


async def test_a_name_of_two_groups_gets_a_choice(tmp_path: Path) -> None:
    async with stage(tmp_path, providers=["wasend", "twochat"]) as played:
        for provider in ("wasend", "twochat"):
            played.world(provider).groups[group_id(provider)].subject = "Everybody"
        await played.add("Everybody +1 415 555 0101")

        assert group_id("wasend") in played.told(ALICE)
        assert group_id("twochat") in played.told(ALICE)
