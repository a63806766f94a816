import asyncio

from bot.tasks import BackgroundTasks


async def test_background_tasks_end_with_the_bot() -> None:
    tasks, started, ended = BackgroundTasks(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    tasks.spawn(work())
    await started.wait()
    await tasks.aclose()

    assert ended.is_set()


async def test_an_error_in_one_task_does_not_stop_the_others() -> None:
    tasks, done = BackgroundTasks(), asyncio.Event()

    async def fail() -> None:
        raise LookupError

    async def work() -> None:
        done.set()

    tasks.spawn(fail())
    tasks.spawn(work())

    await done.wait()
    await tasks.aclose()
