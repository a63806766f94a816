from pathlib import Path

from sandbox.providers.server import InjectedFault
from tests.stage import stage


async def test_a_provider_that_hangs_slows_no_other_down(tmp_path: Path) -> None:
    async with stage(tmp_path, providers=("wasend", "wuts")) as played:
        hanging = played.scene.providers["wasend"]
        hanging.faults = [InjectedFault(match="participants", status=0)]
        await played.add("wasend-team +1 415 555 0101")
        await played.parent(0)

        await played.add("wuts-team +1 415 555 0102")
        thread = await played.finished(1)

        assert "added" in str(thread)
        assert hanging.faults[0].times == 0
        assert "Done" not in played.parents()[0]["text"]
