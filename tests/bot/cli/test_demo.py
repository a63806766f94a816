"""`rollcall demo` as a process: the workspace, and the tour with the commands that it prints run in a shell."""

import asyncio
import json
import re
import shutil
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.bot.cli.test_cli import CLEAN

PATIENCE = 60.0
LAST_SCENE = "every name got an answer."
SEEN = (
    *("wacr-team", "wagateway-team", "wasend-team", "wuts-team", "twochat-team"),
    *("✅ 2 added", "already in the group", "not on WhatsApp", "refused by privacy settings", "❔ unknown"),
    *("✉️ invited", "✅ 1 removed", "1 not in the group", "✅ 1 promoted", "✅ 2 changed"),
    *("uploads team.csv", "Read from the file: column “Mobile”", "Alice Archer clicks Add"),
    *("Bob Baker clicks Approve", "Denied by @bob: “One admin is enough here.”"),
    *("Alice Archer clicks Undo", "↪️ Undo: request"),
    *(
        "doesn't support this: announce-only",
        "which your roles don't have",
        "done Add 5 people",
        "denied Make 1 person an admin",
    ),
    "rows is intact.",
)


@asynccontextmanager
async def touring(folder: Path, *arguments: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo", "--port", "0", *arguments),
        cwd=folder,
        env={**CLEAN, "PYTHONPATH": str(Path(__file__).parents[3]), "COLUMNS": "200"},
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def printed_until(process: Process, words: str) -> str:
    """Read the tour's output up to the line with these words."""
    assert process.stdout is not None
    lines = [""]
    async with asyncio.timeout(PATIENCE):
        while words not in lines[-1]:
            line = await process.stdout.readline()
            assert line, "".join(lines)
            lines.append(line.decode())
    return "".join(lines)


async def shell(line: str) -> str:
    process = await asyncio.create_subprocess_shell(line, env=CLEAN, stdout=PIPE, stderr=PIPE)
    stdout, stderr = await process.communicate()
    assert process.returncode == 0, (line, stdout.decode(), stderr.decode())
    return stdout.decode()


async def all_commands_work(hints: str) -> None:
    copied = [line.strip() for line in hints.splitlines() if line.startswith("  ")]
    typed = await shell(copied[0])
    channel, ephemerals, clicked, truth, exported, checked = await asyncio.gather(*map(shell, copied[1:]))
    assert [(json.loads(ack)["status"], json.loads(ack)["error"]) for ack in (typed, clicked)] == [(200, "")] * 2
    assert len(json.loads(channel)) > 20
    assert "Adding 1 person" in json.loads(ephemerals)[-1]["text"]
    assert "Launch Party" in truth
    assert exported.startswith("request_id,operation,")
    assert "FAILED" not in checked


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl to copy the lines to")
async def test_the_tour_shows_every_scene_and_its_commands_work(tmp_path: Path) -> None:
    async with touring(tmp_path, "--keep") as process:
        shown = await printed_until(process, LAST_SCENE)
        assert [words for words in SEEN if words not in shown] == [], shown
        assert "Open a workspace in your browser: rollcall demo\n" in await printed_until(process, "browser")
        await all_commands_work(await printed_until(process, "check --config"))
        process.send_signal(signal.SIGINT)
        _, noise = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert (process.returncode, noise.decode()) == (0, "")


async def test_ctrl_c_ends_the_tour_silently(tmp_path: Path) -> None:
    async with touring(tmp_path, "--tour") as process:
        await printed_until(process, "types /wa-add wagateway-team")
        process.send_signal(signal.SIGINT)
        rest, noise = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert (process.returncode, noise.decode()) == (0, "")
        assert LAST_SCENE not in rest.decode()


async def test_the_workspace_is_served_with_the_real_bot_until_ctrl_c(tmp_path: Path) -> None:
    async with touring(tmp_path) as process:
        address = re.search(r"http://127\.0\.0\.1:\d+", await printed_until(process, "in your browser"))
        assert address is not None
        typed = {"user": "U01ALICE", "channel": "C0LAUNCH", "name": "/wa", "text": "help"}
        async with aiohttp.ClientSession(address[0]) as session:
            async with session.get("/") as page:
                assert "<title>Rollcall sandbox</title>" in await page.text()
            async with session.post("/_control/command", json=typed) as answer:
                assert (await answer.json())["status"] == 200
        process.send_signal(signal.SIGINT)
        _, noise = await asyncio.wait_for(process.communicate(), PATIENCE)
        assert (process.returncode, noise.decode()) == (0, "")
