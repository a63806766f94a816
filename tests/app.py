"""The one way to start the application in a test: a simulated workspace and providers, and the real bot."""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio

from bot import bootstrap
from bot.commands.manifest import BOT_SCOPES
from bot.config import load
from bot.domain.approvals import ApprovalRule
from bot.domain.requests import Request, RequestItem, RequestOptions, request_id
from bot.storage.audit import AuditJournal
from bot.storage.database import Database
from bot.storage.requests import RequestStore
from providers.base import Evidence, Operation, Outcome, Person
from sandbox.providers.server import ProviderServer
from sandbox.providers.world import Disposition, World
from sandbox.sandbox import SIMULATORS, Sandbox, serve_sandbox
from sandbox.slack.delivery import Ack
from sandbox.slack.server import SlackServer
from sandbox.slack.workspace import Message, User, UserGroup
from tests.slack_ui import ALICE, CAROL, CHANNEL, is_done, labels_of, named_messages, open_modal

ADMIN, SECOND, STRANGER = "U05ADMIN", "U06SECOND", "U07STRANGER"
MORE_ROLES = f"""
[roles.owner]
members = ["{ADMIN}"]
capabilities = ["admin"]
[roles.second]
members = ["{SECOND}"]
capabilities = ["approve"]
"""
"""An administrator and a second approver. The stranger has no role in any configuration."""
_NUMBERS = count(14155550200)


@dataclass(slots=True)
class RunningApp:
    """A running bot with its sandbox.

    Attributes:
        folder: where the configuration and the SQLite database are.
        storage_url: the bot's database.
        url: the bot's own address.
        edit: changes the configuration before it is written.
    """

    sandbox: Sandbox
    folder: Path
    storage_url: str
    socket_mode: bool = False
    edit: Callable[[str], str] = str
    url: str = ""
    database: Database = field(init=False)
    store: RequestStore = field(init=False)
    audit: AuditJournal = field(init=False)
    _bot: AsyncExitStack = field(default_factory=AsyncExitStack)

    def __post_init__(self) -> None:
        self.database = Database(self.storage_url)
        self.store, self.audit = RequestStore(self.database), AuditJournal(self.database)

    @property
    def slack(self) -> SlackServer:
        return self.sandbox.slack

    async def start(self, rules: str) -> None:
        """Start the bot. `rules` is TOML that is added to the sandbox's configuration."""
        config = self.folder / "rollcall.toml"
        config.write_text(self.edit(self.sandbox.config(self.storage_url, rules=rules)))
        settings = load(config, self.sandbox.environment(socket_mode=self.socket_mode))
        self.url = await self._bot.enter_async_context(bootstrap.running(settings))
        self.slack.deliverer.request_url = f"{self.url}/slack/events"

    async def restart(self, rules: str = "") -> None:
        """Stop the bot, and start it again with these rules."""
        await self._bot.aclose()
        await self.start(rules)

    @asynccontextmanager
    async def running(self, rules: str) -> AsyncIterator["RunningApp"]:
        """Run the bot, and check at the end that Slack was sent nothing malformed."""
        try:
            async with self._bot:
                await self.start(rules)
                yield self
        finally:
            await self.database.aclose()
        assert self.slack.oddities == []

    def provider(self, name: str = "wasend") -> ProviderServer:
        return self.sandbox.providers[name]

    def world(self, provider: str = "wasend") -> World:
        return self.sandbox.providers[provider].world

    def members(self, provider: str = "wasend") -> set[str]:
        """Return the phones in the provider's group."""
        return set(self.world(provider).groups[group_id(provider)].members)

    async def add(self, text: str, *, user: str = ALICE, channel: str = CHANNEL) -> Ack:
        """Send `/wa-add` with this text."""
        return await self.slack.command(user, channel, "/wa-add", text)

    async def add_people(
        self, *phones: str, user: str = ALICE, group: str = "wasend-team", channel: str = CHANNEL, when: str = ""
    ) -> "SubmittedRequest":
        """Request that people are added, and wait for the parent message."""
        text = f"{group} {', '.join(f'+{p}' for p in phones)} {when} reason: launch"
        ack = await self.slack.command(user, channel, "/wa-add", text)
        assert ack.ok
        payload = self.slack.deliverer.find(ack.delivery).payload
        request = SubmittedRequest(self, request_id(str(payload["team_id"]), str(payload["trigger_id"])))
        await request.parent()
        return request

    async def insert_request(
        self,
        *outcomes: Outcome | None,
        phones: tuple[str, ...] = (),
        provider: str = "wasend",
        options: RequestOptions | None = None,
        provider_message: str = "",
        requester: str = ALICE,
        rule: ApprovalRule | None = None,
    ) -> "SubmittedRequest":
        """Store a request with these outcomes, which a simulated provider may not give, and wait for its parent."""
        at = datetime.now(UTC)
        items = [
            RequestItem(
                n,
                Person(f"+{phone}", f"+{phone}"),
                outcome=outcome,
                evidence=Evidence.REPORTED if outcome else Evidence.NONE,
                provider_message=provider_message,
                at=at if outcome else None,
            )
            for n, (outcome, phone) in enumerate(zip(outcomes, phones or new_phones(len(outcomes)), strict=True))
        ]
        request = Request(
            id=request_id(str(next(_NUMBERS))),
            operation=Operation.ADD,
            connection=provider,
            group_id=group_id(provider),
            group_name=f"{provider}-team",
            requester=requester,
            channel=CHANNEL,
            reason="launch",
            rule=rule,
            duplicates=0,
            asked_at=at,
            options=options or RequestOptions(),
        )
        await self.store.create(request, items)
        await self.add_people("14155550199")  # wakes the dispatcher, which looks again only after some seconds
        submitted = SubmittedRequest(self, request.id)
        await submitted.parent()
        return submitted

    def request_ids(self) -> list[str]:
        """Return the ids of all requests that have a parent message, oldest first."""
        posted = named_messages(self.slack, "parent")
        return [str(message["metadata"]["event_payload"]["request"]) for message in posted]

    def parents(self, channel: str = CHANNEL) -> list[Message]:
        return [m for m in self.slack.messages(channel) if m.get("thread_ts", m["ts"]) == m["ts"]]

    async def parent(self, number: int = 0, *, channel: str = CHANNEL) -> Message:
        """Wait for the parent message of the channel's request with this number, from 0."""
        await self.slack.wait_for(lambda: len(self.parents(channel)) > number)
        return self.parents(channel)[number]

    async def finished(self, number: int = 0, *, channel: str = CHANNEL) -> list[Message]:
        """Wait until a request is done, and return its whole thread."""
        parent = await self.parent(number, channel=channel)
        await self.slack.wait_for(lambda: is_done(self.parents(channel)[number]))
        return self.slack.thread(channel, parent["ts"])

    async def message_with_button(self, label: str) -> Message:
        """Wait for a message with this button, and return the newest."""
        return await self.slack.wait_for(
            lambda: next((m for m in reversed(self.slack.messages(CHANNEL)) if label in labels_of(m)), None)
        )

    def last_ephemeral(self, user: str) -> str:
        """Return the last text that only this person saw."""
        return str(self.slack.ephemerals(user)[-1]["text"])

    async def wait_for_ephemeral(self, user: str, words: str) -> None:
        """Wait until these words appear in a message that only this person sees."""
        await self.slack.wait_for(lambda: any(words in m["text"] for m in self.slack.ephemerals(user)))

    async def refused_clicks(self, request: str) -> list[tuple[str, str, str]]:
        """Return the refused clicks on a request from the audit journal: actor, action and code."""
        rows = [row async for row in self.audit.rows() if row.request_id == request and row.kind == "refused_click"]
        found = [(row.actor, json.loads(row.payload)["details"]) for row in rows]
        return [(actor, details["action"], details["code"]) for actor, details in found]


@dataclass(slots=True)
class SubmittedRequest:
    """One request, as people see it in Slack. Messages have names, such as `parent`, `approval` and `summary`."""

    app: RunningApp
    id: str

    def messages(self) -> list[Message]:
        """Return the messages of this request in all channels, oldest first."""
        channels = self.app.slack.workspace.channels.values()
        return [m for channel in channels for m in channel.messages.values() if self.id in str(m.get("metadata", ""))]

    async def message(self, name: str) -> Message:
        """Wait for the message with this name."""
        return await self.app.slack.wait_for(lambda: self._find(name))

    async def parent(self) -> Message:
        return await self.message("parent")

    async def text(self, name: str, words: str) -> str:
        """Wait until the message with this name contains these words, and return its text."""

        def found() -> str | None:
            message = self._find(name)
            return str(message["text"]) if message and words in message["text"] else None

        return await self.app.slack.wait_for(found)

    async def labels(self, name: str, *wanted: str) -> list[str]:
        """Wait until a message has these buttons, and return the labels of all its buttons."""

        def found() -> list[str] | None:
            message = self._find(name)
            labels = labels_of(message) if message else []
            return labels if message and set(wanted) <= set(labels) else None

        return await self.app.slack.wait_for(found)

    async def click(self, user: str, label: str, name: str) -> Ack:
        """Wait for a button of a message, and click it."""
        await self.labels(name, label)
        message = await self.message(name)
        ack = await self.app.slack.click(user, self.channel_of(name), message["ts"], label)
        assert ack.ok, ack
        return ack

    def channel_of(self, name: str) -> str:
        channels = self.app.slack.workspace.channels
        return next(id_ for id_, channel in channels.items() if self._find(name) in channel.messages.values())

    async def decide(self, user: str, label: str, reason: str) -> Ack:
        """Click Deny or Override, and submit the reason."""
        view = await self.open(user, label, "approval")
        return await self.app.slack.submit(user, view, {"Reason": reason})

    async def open(self, user: str, label: str, name: str) -> str:
        """Click a button that opens a modal, and return the modal's id."""
        slack = self.app.slack
        if slack.open_view(user):
            await slack.close_view(user, open_modal(slack, user).body["id"])
        await self.click(user, label, name)
        return str((await slack.wait_for(lambda: slack.open_view(user))).body["id"])

    def ending(self) -> str | None:
        """Return the name of its last message, or None while it runs."""
        return next((name for name in ("summary", "closed") if self._find(name)), None)

    async def done(self) -> str:
        """Wait until it is done, and return the text of its summary."""
        await self.app.slack.wait_for(lambda: (parent := self._find("parent")) and is_done(parent))
        return str((await self.message("summary"))["text"])

    def _find(self, name: str) -> Message | None:
        return next((m for m in self.messages() if m["metadata"]["event_payload"]["name"] == name), None)


@asynccontextmanager
async def running_app(
    folder: Path,
    providers: Iterable[str] = ("wasend",),
    *,
    rules: str = "",
    groups: Mapping[str, str] | None = None,
    operators: tuple[str, ...] = (ALICE, CAROL),
    socket_mode: bool = False,
    storage_url: str = "",
    edit: Callable[[str], str] = str,
) -> AsyncIterator[RunningApp]:
    """Serve a sandbox and run the bot in this process.

    Args:
        folder: for the configuration and the database.
        providers: the connections.
        rules: TOML that is added to the configuration, such as approval rules, roles and groups.
        groups: subjects of more groups at every provider, by id.
        operators: the members of the user group whose role may add people. Alice has that role herself.
        socket_mode: receive events over Socket Mode, not over HTTP.
        storage_url: the database. The default is a new SQLite file in the folder.
        edit: changes the configuration before it is written.
    """
    async with serve_sandbox(providers, scopes=BOT_SCOPES) as sandbox:
        for server in sandbox.providers.values():
            for id_, subject in (groups or {}).items():
                server.world.put_group(id_, subject)
        workspace = sandbox.slack.workspace
        workspace.groups["S0OPERATORS"] = UserGroup("S0OPERATORS", "operators", "Operators", operators)
        for user in (ADMIN, SECOND, STRANGER):
            workspace.users[user] = User(user, user.lower(), user)
            workspace.channels[CHANNEL].members.add(user)
        app = RunningApp(sandbox, folder, storage_url or f"sqlite:///{folder}/rollcall.db", socket_mode, edit)
        async with app.running(rules):
            yield app


def module_app(
    providers: Iterable[str] = ("wasend",),
    *,
    rules: str = "",
    groups: Mapping[str, str] | None = None,
    operators: tuple[str, ...] = (ALICE, CAROL),
    edit: Callable[[str], str] = str,
    patches: Mapping[str, object] | None = None,
    prepare: Callable[[RunningApp], object] = id,
) -> Callable[..., AsyncIterator[RunningApp]]:
    """Return a fixture, to be assigned to `app`, that runs one bot for all tests of a module.

    The arguments are those of `running_app`; `patches` are values by dotted name, set while the bot runs.
    `prepare` is called once, when the bot runs.
    """

    @pytest_asyncio.fixture(scope="module", loop_scope="module")
    async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningApp]:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in (patches or {}).items():
                patch.setattr(name, value)
            folder = tmp_path_factory.mktemp("app")
            async with running_app(
                folder, providers, rules=rules, groups=groups, operators=operators, edit=edit
            ) as running:
                prepare(running)
                yield running

    return app


@pytest.fixture(name="slack")
def app_slack(app: RunningApp) -> SlackServer:
    """The workspace of the module's bot. Assign it to `slack` in the module."""
    return app.slack


def approval_rule(*operations: str, approvers: Iterable[str] = ("lead",), **options: object) -> str:
    """Return an approval rule in TOML. `options` are its other keys."""
    values = {"operations": list(operations), "approvers": list(approvers), **options}
    return "\n".join(["", "[[approvals]]", *(f"{key} = {json.dumps(value)}" for key, value in values.items()), ""])


def put_people(world: World, dispositions: Mapping[str, Disposition]) -> str:
    """Put people into a world, and return their numbers as a person types them."""
    for phone, disposition in dispositions.items():
        world.put_person(phone, disposition)
    return ", ".join(f"+{phone}" for phone in dispositions)


def group_id(provider: str) -> str:
    """Return the id of the provider's first group, which has the alias `<provider>-team`."""
    return SIMULATORS[provider].group_id


def new_phones(number: int) -> tuple[str, ...]:
    """Return phones that no test has used."""
    return tuple(str(next(_NUMBERS)) for _ in range(number))
