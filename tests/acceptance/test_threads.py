"""Follow-ups and mentions stay in the thread in which they were requested."""

from bot.domain.requests import request_id
from sandbox.providers.world import Disposition
from tests.app import RunningApp, SubmittedRequest, new_phones
from tests.slack_ui import ALICE, BOB, CHANNEL


async def follow(request: SubmittedRequest, label: str, followup: str) -> SubmittedRequest:
    await request.click(ALICE, label, "summary")
    after = SubmittedRequest(request.app, request_id(request.id, followup))
    await after.done()
    return after


async def test_followups_stay_in_the_thread_and_edit_its_root(app: RunningApp) -> None:
    good, bad = new_phones(2)
    app.world().put_person(bad, Disposition.PRIVATE)
    request = await app.add_people(good, bad)
    await request.done()
    retry = await follow(request, "Retry failed", "retry")
    app.world().put_person(bad, Disposition.OPEN)
    again = await follow(retry, "Retry failed", "retry")
    undo = await follow(request, "Undo", "undo")

    root = await request.parent()
    assert [m["ts"] for m in app.parents()] == [root["ts"]]
    for followup in (retry, again, undo):
        assert {m["thread_ts"] for m in followup.messages()} == {root["ts"]}
        assert [m["metadata"]["event_payload"]["name"] for m in followup.messages()] == ["parent", "summary"]
    for words in ("⚠️ 1 failed", "✅ 1 added", "✅ 1 removed"):
        assert words in await request.text("parent", words)
    lines = [line for line in (await request.parent())["text"].splitlines() if line.startswith("↪️ ")]
    assert sorted(line.split(":")[0] for line in lines) == ["↪️ Retry failed", "↪️ Retry failed", "↪️ Undo"]
    assert "⚠️ 1 of 2 added" in (await request.parent())["text"]


async def test_running_a_request_again_begins_a_new_thread(app: RunningApp) -> None:
    request = await app.add_people(*new_phones(1))
    await request.done()
    again = await follow(request, "Run again", "again")

    assert len(app.parents()) == 2
    assert app.parents()[1] == await again.parent()


async def test_a_mention_in_a_thread_is_answered_in_that_thread(app: RunningApp) -> None:
    root = (await app.slack.say(ALICE, CHANNEL, "Who is coming?"))["ts"]
    phone, bad = new_phones(2)
    app.world().put_person(bad, Disposition.PRIVATE)
    await app.slack.say(BOB, CHANNEL, "Everyone", thread_ts=root)
    await app.slack.say(ALICE, CHANNEL, f"<@U0ROLLCALL> add wasend-team +{phone}, +{bad}", thread_ts=root)
    await app.slack.wait_for(app.request_ids)
    request = SubmittedRequest(app, app.request_ids()[0])
    await request.done()
    retry = await follow(request, "Retry failed", "retry")

    assert {m["thread_ts"] for m in [*request.messages(), *retry.messages()]} == {root}
    assert {m["channel"] for m in app.slack.ephemerals(ALICE) if "channel" in m} <= {CHANNEL}
    assert "↪️ Retry failed" in await request.text("parent", "↪️ Retry failed")
