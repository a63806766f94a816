"""What people do with one request after another, at a bot that a whole module shares."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from bot.domain.approvals import ApprovalRule
from bot.domain.requests import Request, RequestItem, RequestOptions, request_id
from bot.storage.audit import AuditJournal
from bot.storage.database import Database
from bot.storage.requests import RequestStore
from providers.base import Evidence, Operation, Outcome, Person
from sandbox.slack.delivery import Ack
from sandbox.slack.workspace import Message, SlackView, User
from tests.stage import ALICE, CHANNEL, Stage, group_id, stage

ADMIN, SECOND, STRANGER = "U05ADMIN", "U06SECOND", "U07STRANGER"
ROLES = f"""
[roles.owner]
members = ["{ADMIN}"]
capabilities = ["admin"]
[roles.second]
members = ["{SECOND}"]
capabilities = ["approve"]
"""
_NUMBERS = count(14155550200)


@dataclass(slots=True)
class Desk:
    """A running bot at which Alice may add, Bob and a second lead decide, an admin overrides, and a stranger may not.

    Attributes:
        stage: the sandbox and the bot.
        journal: the bot's own, to put in what no provider of the sandbox answers.
        audit: the bot's own.
    """

    stage: Stage
    database: Database
    journal: RequestStore
    audit: AuditJournal

    async def add(
        self, *phones: str, user: str = ALICE, group: str = "wasend-team", channel: str = CHANNEL, when: str = ""
    ) -> "Asked":
        """Ask for people to be added, and wait for the parent message."""
        text = f"{group} {', '.join(f'+{p}' for p in phones)} {when} reason: launch"
        ack = await self.stage.slack.command(user, channel, "/wa-add", text)
        assert ack.ok
        delivery = self.stage.slack.deliverer.find(ack.delivery)
        asked = Asked(self, request_id(str(delivery.payload["team_id"]), str(delivery.payload["trigger_id"])))
        await asked.parent()
        return asked

    async def plant(
        self,
        *outcomes: Outcome | None,
        phones: tuple[str, ...] = (),
        provider: str = "wasend",
        options: RequestOptions | None = None,
        said: str = "",
        requester: str = ALICE,
        rule: ApprovalRule | None = None,
    ) -> "Asked":
        """Put a request with these answers into the journal, and wait for its parent message."""
        id_ = request_id(str(next(_NUMBERS)))
        at = datetime.now(UTC)
        persons = phones or new(len(outcomes))
        people = [
            RequestItem(
                n,
                Person(f"+{phone}", f"+{phone}"),
                outcome=outcome,
                evidence=Evidence.REPORTED if outcome else Evidence.NONE,
                provider_message=said,
                at=at if outcome else None,
            )
            for n, (outcome, phone) in enumerate(zip(outcomes, persons, strict=True))
        ]
        await self.journal.create(
            Request(
                id=id_,
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
            ),
            people,
        )
        await self.add("14155550199")  # or the dispatcher looks some seconds later
        asked = Asked(self, id_)
        await asked.parent()
        return asked

    def requests(self) -> list[str]:
        """Give the ids of all requests that have a parent message, oldest first."""
        posted = [m["metadata"]["event_payload"] for m in self.stage.slack.messages(CHANNEL) if "metadata" in m]
        return [str(carried["request"]) for carried in posted if carried["name"] == "parent"]

    def members(self, provider: str = "wasend") -> set[str]:
        return set(self.stage.world(provider).groups[group_id(provider)].members)

    async def refusals(self, request: str) -> list[tuple[str, str, str]]:
        """Give the refused clicks on a request that the audit journal keeps: who, what, and the reason's word."""
        rows = [row async for row in self.audit.rows() if row.request_id == request and row.kind == "refused_click"]
        found = [(row.actor, json.loads(row.payload)["details"]) for row in rows]
        return [(actor, details["action"], details["code"]) for actor, details in found]

    def modal(self, user: str) -> SlackView:
        view = self.stage.slack.open_view(user)
        assert view is not None
        return view


@dataclass(slots=True)
class Asked:
    """One request, in the eyes of people."""

    desk: Desk
    id: str

    def messages(self) -> list[Message]:
        """Give the messages that name this request's id in a button or in their words, oldest first."""
        rooms = self.desk.stage.slack.workspace.channels.values()
        return [m for room in rooms for m in room.messages.values() if self.id in str(m.get("metadata", ""))]

    async def message(self, name: str) -> Message:
        """Wait for the message that has this name in the ledger."""
        return await self.desk.stage.slack.wait_for(lambda: self._named(name))

    async def parent(self) -> Message:
        return await self.message("parent")

    async def says(self, name: str, words: str) -> str:
        """Wait until the message of this name says this, and give its text."""

        def said() -> str | None:
            message = self._named(name)
            return str(message["text"]) if message and words in message["text"] else None

        return await self.desk.stage.slack.wait_for(said)

    async def labels(self, name: str, *wanted: str) -> list[str]:
        """Wait until a message has these buttons, and give the labels of all it has."""

        def shown() -> list[str] | None:
            message = self._named(name)
            labels = labels_of(message) if message else []
            return labels if message and set(wanted) <= set(labels) else None

        return await self.desk.stage.slack.wait_for(shown)

    async def click(self, user: str, label: str, name: str) -> Ack:
        """Wait for a button of a message, and click it."""
        await self.labels(name, label)
        message = await self.message(name)
        ack = await self.desk.stage.slack.click(user, self.room(name), message["ts"], label)
        assert ack.ok, ack
        return ack

    def room(self, name: str) -> str:
        """Give the channel in which the message of this name stands."""
        rooms = self.desk.stage.slack.workspace.channels
        return next(id_ for id_, room in rooms.items() if self._named(name) in room.messages.values())

    async def decide(self, user: str, label: str, reason: str) -> Ack:
        """Click Deny or Override, and give the reason."""
        view = await self.opens(user, label, "approval")
        return await self.desk.stage.slack.submit(user, view, {"Reason": reason})

    async def opens(self, user: str, label: str, name: str) -> str:
        """Click a button that opens a modal, and give the modal's id."""
        slack = self.desk.stage.slack
        if slack.open_view(user):
            await slack.close_view(user, self.desk.modal(user).body["id"])
        await self.click(user, label, name)
        return str((await slack.wait_for(lambda: slack.open_view(user))).body["id"])

    def ended(self) -> str | None:
        """Give the name of its last message, None while it goes on."""
        return next((name for name in ("summary", "closed") if self._named(name)), None)

    async def done(self) -> str:
        """Wait until it is done, and give the text of its summary."""
        await self.says("parent", "🏁 Done")
        return str((await self.message("summary"))["text"])

    def _named(self, name: str) -> Message | None:
        return next((m for m in self.messages() if m["metadata"]["event_payload"]["name"] == name), None)


def labels_of(message: Message) -> list[str]:
    return [e["text"]["text"] for b in message.get("blocks", []) if b["type"] == "actions" for e in b["elements"]]


def new(number: int) -> tuple[str, ...]:
    """Give phones that nobody has been added with."""
    return tuple(str(next(_NUMBERS)) for _ in range(number))


@asynccontextmanager
async def desk(folder: Path, *, rules: str = "", providers: tuple[str, ...] = ("wasend",)) -> AsyncIterator[Desk]:
    """Start a bot with more people and roles than the sandbox has by itself."""
    async with stage(folder, rules=ROLES + rules, providers=providers) as played:
        workspace = played.slack.workspace
        for user in (ADMIN, SECOND, STRANGER):
            workspace.users[user] = User(user, user.lower(), user)
            workspace.channels[CHANNEL].members.add(user)
        database = Database(f"sqlite:///{folder}/rollcall.db")
        yield Desk(played, database, RequestStore(database), AuditJournal(database))
        await database.aclose()
        assert played.slack.oddities == []
