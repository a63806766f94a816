import asyncio

from handlers.background import BackgroundTasks


async def test_what_goes_on_behind_ends_with_the_bot() -> None:
    behind, begun, ended = BackgroundTasks(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    behind.spawn(work())
    await begun.wait()
    await behind.aclose()

    assert ended.is_set()


async def test_what_fails_behind_keeps_nothing_else_from_going_on() -> None:
    behind, done = BackgroundTasks(), asyncio.Event()

    async def fail() -> None:
        raise LookupError

    async def work() -> None:
        done.set()

    behind.spawn(fail())
    behind.spawn(work())

    await done.wait()
    await behind.aclose()
