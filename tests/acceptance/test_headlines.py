"""The headline of a request is its outcome: a failure never reads as done."""

from pathlib import Path

from tests.app import running_app


async def test_a_disconnected_account_is_the_headline(tmp_path: Path) -> None:
    async with running_app(tmp_path) as app:
        app.provider().account_state = "disconnected"
        await app.add("wasend-team Rita: +1 415 555 0101, +1 415 555 0102")
        parent, *_, reply = await app.finished()

        for message in (parent, reply):
            assert "⚠️ No one was added: Wasend is disconnected." in message["text"].replace("*", "")
            assert "Done" not in message["text"]
            assert "100 %" not in str(message)
