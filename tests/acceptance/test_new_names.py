from tests.app import RunningApp, new_phones
from tests.slack_ui import ALICE, CHANNEL

"""A group that was made or renamed here is known by its new name as soon as the request has ended."""


async def test_a_new_or_renamed_group_is_found_immediately(app: RunningApp) -> None:
    await app.slack.command(ALICE, CHANNEL, "/wa-create", f"“Spring Fair” +{new_phones(1)[0]}")
    await app.finished(0)
    await app.slack.command(ALICE, CHANNEL, "/wa-group", "Spring Fair")
    await app.wait_for_ephemeral(ALICE, "Subject: Spring Fair")
    await app.slack.command(ALICE, CHANNEL, "/wa-settings", "“Spring Fair” name: Summer Fair")
    await app.finished(1)
    await app.slack.command(ALICE, CHANNEL, "/wa-group", "Summer Fair")
    await app.wait_for_ephemeral(ALICE, "Subject: Summer Fair")
