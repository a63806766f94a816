from pathlib import Path

from sandbox.providers.server import InjectedFault
from tests.app import running_app
from tests.slack_ui import is_done


async def test_a_hanging_provider_delays_no_other(tmp_path: Path) -> None:
    async with running_app(tmp_path, providers=("wasend", "wuts")) as app:
        hanging = app.provider()
        hanging.faults = [InjectedFault(match="participants", status=0)]
        await app.add("wasend-team +1 415 555 0101")
        await app.parent(0)

        await app.add("wuts-team +1 415 555 0102")
        thread = await app.finished(1)

        assert "added" in str(thread)
        assert hanging.faults[0].times == 0
        assert not is_done(app.parents()[0])
