import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from bot.execution.engine import DurableWorkflow, Engine, step
from bot.execution.retries import Retries
from bot.storage.requests import RequestStore
from providers.base import Outcome, Verdict
from tests.bot.execution import killed_workflow
from tests.bot.storage.databases import open_database, scalar
from tests.bot.storage.processes import python, says, until
from tests.bot.storage.samples import people, request


@asynccontextmanager
async def _running(url: str, grace: float = 5.0, **workflows: DurableWorkflow) -> AsyncIterator[Engine]:
    engine = Engine(url, workflows)
    try:
        await engine.launch()
        async with asyncio.timeout(30):
            yield engine
    finally:
        await engine.aclose(grace=grace)


async def test_a_workflow_runs_its_steps_in_order_with_their_results(sqlite_url: str) -> None:
    done: asyncio.Queue[object] = asyncio.Queue()

    async def give(value: object) -> object:
        return value

    async def work(request_id: str) -> None:
        results = [await step("give", partial(give, v)) for v in (1, "two", None, [3.5, {"four": True}])]
        await done.put((request_id, results))

    async with _running(sqlite_url, work=work) as engine:
        await engine.start("work", "R1")
        assert await done.get() == ("R1", [1, "two", None, [3.5, {"four": True}]])


async def test_starting_the_same_work_twice_starts_one_workflow(sqlite_url: str) -> None:
    ran: asyncio.Queue[str] = asyncio.Queue()
    gate = asyncio.Event()

    async def work(request_id: str) -> None:
        await ran.put(request_id)
        await gate.wait()

    async with _running(sqlite_url, work=work) as engine:
        await engine.start("work", "R1")
        assert await ran.get() == "R1"
        await engine.start("work", "R1")
        gate.set()
        await engine.start("work", "R2")
        assert await ran.get() == "R2"
        await engine.start("work", "R1")
        await engine.start("work", "R3")
        assert await ran.get() == "R3"
    assert ran.empty()


async def test_the_end_of_the_first_step_is_announced(sqlite_url: str) -> None:
    go_on, finish = asyncio.Event(), asyncio.Event()

    async def work(_: str) -> None:
        await step("first", go_on.wait)
        await finish.wait()

    async with _running(sqlite_url, work=work) as engine:
        begun = await engine.start("work", "R1")
        assert not begun.is_set()
        go_on.set()
        await begun.wait()
        finish.set()


async def test_a_killed_workflow_continues_after_its_last_finished_step(empty_url: str) -> None:
    async with python("-m", "tests.bot.execution.killed_workflow", empty_url, "second") as process:
        assert [await says(process) for _ in range(2)] == ["first", "second"]
        process.kill()
        await process.wait()
    names: asyncio.Queue[str] = asyncio.Queue()
    async with _running(empty_url, grace=0, work=killed_workflow.work(names.put_nowait)) as engine:
        await engine.start("work", "R1")  # as after a crash between starting it and storing that
        assert [await names.get() for _ in range(2)] == ["second", "asleep"]
    assert names.empty()


async def test_a_sleep_counts_while_the_process_is_dead(sqlite_url: str) -> None:
    async with python("-m", "tests.bot.execution.killed_workflow", sqlite_url, "nowhere") as process:
        await _sleep_is_stored(sqlite_url)
        process.kill()
        await process.wait()
    names: asyncio.Queue[str] = asyncio.Queue()
    async with _running(sqlite_url, work=killed_workflow.work(names.put_nowait)):
        assert [await names.get() for _ in range(3)] == ["asleep", "last", "done R1"]


async def _sleep_is_stored(url: str) -> None:
    """Wait until the end of the sleep is stored."""
    made = "SELECT 1 FROM sqlite_master WHERE name = 'operation_outputs'"
    stored = "SELECT 1 FROM operation_outputs WHERE function_name = 'DBOS.sleep'"
    async with open_database(url) as database:
        await until(lambda: scalar(database, made))
        await until(lambda: scalar(database, stored))


async def test_only_the_failed_step_is_repeated(sqlite_url: str) -> None:
    ran: asyncio.Queue[str] = asyncio.Queue()

    async def first() -> None:
        await ran.put("first")

    async def second() -> None:
        await ran.put("second")
        if ran.qsize() < 3:
            raise ConnectionError("away for a moment")

    async def work(request_id: str) -> None:
        await step("first", first)
        await step("second", partial(Retries().run, "second", "R1", second, never))
        await ran.put(request_id)
        done.set()

    async def never(reference: str) -> None:
        raise AssertionError(reference)

    done = asyncio.Event()
    async with _running(sqlite_url, work=work) as engine:
        await engine.start("work", "R1")
        await done.wait()
    assert [ran.get_nowait() for _ in range(ran.qsize())] == ["first", "second", "second", "R1"]


async def test_a_hanging_workflow_does_not_block_others(sqlite_url: str) -> None:
    stuck, reached = asyncio.Event(), asyncio.Event()

    async def wait_for_ever(_: str) -> None:
        await stuck.wait()

    async def reach(_: str) -> None:
        reached.set()

    async with _running(sqlite_url, grace=0.0, stuck=wait_for_ever, reach=reach) as engine:
        for number in range(50):
            await engine.start("stuck", f"R{number}")
        await engine.start("reach", "R50")
        async with asyncio.timeout(10):
            await reached.wait()


async def test_closing_waits_for_a_workflow_that_is_nearly_done(sqlite_url: str) -> None:
    started, ended = asyncio.Event(), asyncio.Event()

    async def nearly_done() -> None:
        started.set()
        await asyncio.sleep(0.02)
        ended.set()

    async def work(_: str) -> None:
        await step("nearly done", nearly_done)

    async with _running(sqlite_url, work=work) as engine:
        await engine.start("work", "R1")
        await started.wait()
    assert ended.is_set()


async def test_a_workflow_cancelled_by_closing_resumes_at_the_next_start(sqlite_url: str) -> None:
    """Whether it hung in a step, or was started so late that it did not reach its first one."""
    ran: asyncio.Queue[str] = asyncio.Queue()
    hanging, again = asyncio.Event(), asyncio.Event()

    async def say(request_id: str) -> None:
        if request_id == "R0" and not again.is_set():
            hanging.set()
            await again.wait()
        await ran.put(request_id)

    async def work(request_id: str) -> None:
        await step("say", partial(say, request_id))

    ids = {f"R{number}" for number in range(5)}
    async with _running(sqlite_url, grace=0, work=work) as engine:
        await engine.start("work", "R0")
        await hanging.wait()
        for id_ in ids - {"R0"}:
            await engine.start("work", id_)
    again.set()
    names = {ran.get_nowait() for _ in range(ran.qsize())}
    async with _running(sqlite_url, work=work):
        while names != ids:
            names.add(await ran.get())


async def test_threads_can_be_used_after_closing(sqlite_url: str) -> None:
    async with _running(sqlite_url) as engine:
        assert engine
    assert await asyncio.to_thread(len, "abc") == 3


async def test_store_and_engine_share_one_database(empty_url: str) -> None:
    """Their tables are separate, and both can write at the same time."""
    async with open_database(empty_url) as database:
        await database.upgrade()
        store, done = RequestStore(database), asyncio.Event()
        await store.create(request(), people(3))

        async def judge() -> None:
            await store.save_verdicts("R1", {p.position: Verdict("", Outcome.ADDED) for p in await store.items("R1")})

        async def work(_: str) -> None:
            await asyncio.gather(*(store.mark_submitted("R1", [n]) for n in range(3)))
            await step("judge", judge)
            done.set()

        async with _running(empty_url, work=work) as engine:
            await engine.start("work", "R1")
            await done.wait()
        await database.upgrade()
        assert (await store.tally("R1")).count(Outcome.ADDED) == 3
