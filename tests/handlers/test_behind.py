import asyncio

from handlers.behind import Behind


async def test_what_goes_on_behind_ends_with_the_bot() -> None:
    behind, begun, ended = Behind(), asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    behind.begin(work())
    await begun.wait()
    await behind.aclose()

    assert ended.is_set()


async def test_what_fails_behind_keeps_nothing_else_from_going_on() -> None:
    behind, done = Behind(), asyncio.Event()

    async def fail() -> None:
        raise LookupError

    async def work() -> None:
        done.set()

    behind.begin(fail())
    behind.begin(work())

    await done.wait()
    await behind.aclose()
