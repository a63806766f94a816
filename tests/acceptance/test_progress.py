"""What a running request shows: the truth, soon, and the results that are known."""

from pathlib import Path

from sandbox.providers.world import Disposition
from tests.app import running_app


async def test_a_running_request_shows_how_far_it_is_and_its_problems(tmp_path: Path) -> None:
    async with running_app(tmp_path) as app:
        app.world().put_person("14155550301", Disposition.NO_ACCOUNT)
        app.provider().latency = 2.0
        request = await app.add_people(*(str(14155550300 + n) for n in range(40)))

        text = await request.text("parent", " of 40 · about ")
        assert " s left" in text
        assert "█" not in text
        reply = await request.text("summary", "Results so far: ")
        assert "• +1 415 ••• 0301  ❓ not on WhatsApp. Check the number." in reply
        app.provider().latency = 0.0
        assert "39 of 40 added" in await request.done()
        assert [m["metadata"]["event_payload"]["name"] for m in request.messages()] == ["parent", "summary"]


async def test_nothing_waits_for_the_last_verification(tmp_path: Path) -> None:
    def slowly(config: str) -> str:
        return config.replace('verify_after = ["0s", "1s"]', 'verify_after = ["60s"]')

    async with running_app(tmp_path, providers=["wagateway"], edit=slowly) as app:
        app.world("wagateway").put_person("14155550301", Disposition.NO_ACCOUNT)
        request = await app.add_people("14155550300", "14155550301", group="wagateway-team")

        reply = await request.text("summary", "being verified: next check <!date^")
        assert "Results so far: 1 of 2" in reply
        assert "• +1 415 ••• 0300  🔎 being verified" in reply
        assert "• +1 415 ••• 0301  ❓ not on WhatsApp" in reply
        assert "🏃 Running · 1 of 2 · verifying 1, next check <!date^" in (await request.parent())["text"]
