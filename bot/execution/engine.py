"""The durable engine: dbos, configured for Rollcall, behind the few functions that the workflow uses."""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any, TypeVar

from dbos import DBOS, DBOSConfig, DBOSPortableJSONSerializer, SetWorkflowID, StepOptions

from bot.storage.sqlite import SqliteConnection
from bot.tasks import stop

T = TypeVar("T")
_begun: ContextVar[asyncio.Event] = ContextVar("begun")
"""Set when the first step of the current workflow has ended."""

DurableWorkflow = Callable[..., Coroutine[Any, Any, None]]
"""A workflow of a request id, perhaps with a number. After a crash it continues from its last finished step."""


class Engine:
    """Runs durable workflows. dbos keeps one instance in a process, so there is one `Engine` at a time.

    Args:
        url: the database of the engine's tables (`Database.engine_url`).
        replica: the replica that runs the work (`Database.replica`); empty on SQLite.
        workflows: each workflow by its stored name; a name must never be given to another workflow.
    """

    def __init__(self, url: str, workflows: Mapping[str, DurableWorkflow], *, replica: str = "") -> None:
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = False
        DBOS(config=_config(url, replica or "local"))
        self._workflows = {
            name: DBOS.workflow(name=name, max_recovery_attempts=None)(self._tracked(name, function))
            for name, function in workflows.items()
        }

    async def launch(self) -> None:
        """Start running. Work that a crash interrupted resumes by itself."""
        DBOS.launch()  # here and not in a thread: dbos runs workflows on the loop in which it is launched

    async def start(self, name: str, request_id: str, *numbers: int) -> asyncio.Event:
        """Start a workflow, and return an event that is set when its first step has ended, if it runs here.

        Starting the same name, request and numbers twice starts one workflow.
        """
        begun = asyncio.Event()
        token = _begun.set(begun)  # the workflow's task inherits it
        try:
            with SetWorkflowID(":".join([request_id, name, *map(str, numbers)])):
                await DBOS.start_workflow_async(self._workflows[name], request_id, *numbers)
        finally:
            _begun.reset(token)
        return begun

    async def recover(self, replicas: Collection[str]) -> int:
        """Take over the running work of replicas that no longer run. Return the number of workflows.

        Several replicas can do this at the same time: each workflow goes back to the queue once, and one replica
        takes it from there.
        """
        recover = DBOS._recover_pending_workflows  # noqa: SLF001 - dbos has no public call for it, and is pinned
        return len(await asyncio.to_thread(recover, list(replicas)))

    async def aclose(self, *, grace: float = 5.0) -> None:
        """Stop. Workflows that do not end within `grace` seconds are resumed at the next start."""
        if self._running:
            await asyncio.wait(self._running, timeout=grace)
        self._closed = True
        await stop(self._running)
        DBOS.destroy(destroy_registry=True)
        # dbos had installed an executor of its own, whose threads have ended.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())

    def _tracked(self, name: str, function: DurableWorkflow) -> DurableWorkflow:
        """Wrap a workflow so that closing can wait for it. dbos itself would block the loop that it runs on."""

        async def workflow(request_id: str, *numbers: int) -> None:
            if self._closed:
                raise asyncio.CancelledError  # resumed at the next start
            task = asyncio.current_task()
            if task is not None:
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            await function(request_id, *numbers)

        workflow.__name__ = workflow.__qualname__ = name
        return workflow


async def step(name: str, function: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `function` once and store its result, a JSON value. After a crash it may run a second time.

    An error of `function` ends the workflow, so it repeats itself what can be repeated (`Retries`).

    Args:
        name: the step's name, which is stored.
        function: the work.
    """
    try:
        return await DBOS.run_step_async(StepOptions(name=name), function)
    finally:
        if begun := _begun.get(None):
            begun.set()


async def sleep(seconds: float) -> None:
    """Wait. Time in which the process is down counts."""
    await DBOS.sleep_async(seconds)


def _config(url: str, executor: str) -> DBOSConfig:
    sqlite = url.startswith("sqlite")
    return DBOSConfig(
        name="rollcall",
        system_database_url=url,
        application_version="1",  # by default a hash of the source: editing a comment would strand work
        executor_id=executor,  # constant on SQLite, so that a restart resumes its own work
        serializer=DBOSPortableJSONSerializer(),  # the default, pickle, runs code that it reads
        max_executor_threads=32,
        db_engine_kwargs={"connect_args": {"factory": SqliteConnection}} if sqlite else None,
        notification_listener_polling_interval_sec=0.1,  # notifications are not used; this is how long a stop waits
        log_level="ERROR",  # a repeated step is logged by `Retries`
    )
