from pathlib import Path

import pytest

from tests.stage import ALICE, CHANNEL, DAVE, Stage, group_id, stage


async def opened(played: Stage, user: str = ALICE) -> str:
    """Type `/wa-add` alone, and give the id of the modal that opens."""
    await played.slack.command(user, CHANNEL, "/wa-add", "")
    view = played.slack.open_view(user)
    assert view is not None
    return str(view.body["id"])


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
        assert list(errors(played)) == ["add_numbers"]
        assert played.world("wasend").events == []

        await played.slack.submit(ALICE, view, {"Numbers": "+1 415 555 0101"})
        await played.finished()
        assert len(played.world("wasend").events) == 1


async def test_somebody_without_the_right_is_told_in_the_modal(tmp_path: Path) -> None:
    async with stage(tmp_path) as played:
        view = await opened(played, DAVE)
        await played.slack.submit(DAVE, view, {"Group": "wasend-team · wasend", "Numbers": "+1 415 555 0101"})

        assert "groups:write" in errors(played, DAVE)["add_group"]
        assert played.world("wasend").events == []


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
