"""The scenes of the tour, one after another: what people do, and what they get to see."""

from bot.cli.demo.screen import Screen
from bot.domain.audit_chain import ChainBreak, ChainHead
from bot.storage.audit import AuditJournal
from sandbox.providers.world import Disposition
from sandbox.scene import Scene
from sandbox.slack.workspace import Message, View

ALICE, BOB, DAVE = "U01ALICE", "U02BOB", "U04DAVE"
CHANNEL = "C0LAUNCH"
RULES = """
[roles.admin]
members = ["U03CAROL"]
capabilities = ["admin"]
[[approvals]]
operations = ["add", "promote"]
groups = ["wuts-team"]
approvers = ["lead"]
"""
"""Carol may override approvals; what is asked of the WUTS group needs one."""
CAST = (
    ("14155550101", Disposition.OPEN),
    ("14155550102", Disposition.OPEN),
    ("14155550103", Disposition.PRIVATE),
    ("14155550104", Disposition.NO_ACCOUNT),
    ("14155550105", Disposition.OPEN),
)
"""Whom Alice adds everywhere, and how WhatsApp answers for them; the last one is in the groups already."""
TEAM = b"Name,Mobile\nAnn,+1 415-555-0106\nBen,(415) 555-0107\nCy,\nAnn again,14155550106\n"
"""A file as a spreadsheet writes it."""

_PATIENCE = 60.0
"""Seconds that the tour waits for anything."""
_ENDS = ("🏁", "⛔")
"""How the parent message of a request that has ended tells so."""


class Story:
    """Plays the scenes.

    Args:
        stage: the sandbox; the bot listens already.
        screen: prints.
        audit: the bot's journal.
    """

    def __init__(self, stage: Scene, screen: Screen, audit: AuditJournal) -> None:
        self._slack = stage.slack
        self._screen = screen
        self._audit = audit

    async def play(self) -> None:
        """Play everything.

        Raises:
            TimeoutError: something that should have come did not come.
            RuntimeError: the audit journal's chain does not hold.
        """
        added = await self._adds()
        await self._fills_in()
        await self._removes_and_promotes()
        await self._denies()
        await self._undoes(added)
        await self._changes_settings()
        await self._is_refused()
        await self._looks_back()
        await self._verifies()
        self._screen.ends("The tour is over: every name got an answer.")

    async def _adds(self) -> str:
        """Add six entries at each provider. Gives the `ts` of the first request's parent message."""
        self._screen.chapter("Add people · WA.cr", "Six entries, six answers: here is everything that appears.")
        first = await self._asks("/wa-add", f"wacr-team {_everybody()} reason: launch party", tell=True)
        await self._shows(first, "results-0", "summary", "parent")
        self._screen.chapter(
            "Add people · WhatsApp Gateway", "It does not say what became of whom, so the group is read."
        )
        await self._asks_and_shows("/wa-add", f"wagateway-team {_everybody()}")
        self._screen.chapter("Add people · Wasend", "Whoever refuses a direct add gets an invite: Alice asked for it.")
        await self._asks_and_shows("/wa-add", f"wasend-team {_everybody()} invite: yes")
        self._screen.chapter("Add people · WUTS", "A rule wants an approval for this group.")
        asked = await self._asks("/wa-add", f"wuts-team {_everybody()} reason: launch party")
        await self._click(BOB, "Approve", await self._card(asked))
        await self._shows(asked, "results-0")
        self._screen.chapter("Add people · 2Chat", "It judges each person itself.")
        await self._asks_and_shows("/wa-add", f"twochat-team {_everybody()}")
        return first

    async def _fills_in(self) -> None:
        self._screen.chapter(
            "A form, with a file", "Before anything is asked for, the preview tells what would be done."
        )
        before = len(self._parents())
        self._screen.does(ALICE, "types", "/wa-add")
        await self._slack.command(ALICE, CHANNEL, "/wa-add")
        form = await self._modal(ALICE, "Add to a group")
        self._screen.does(ALICE, "chooses wasend-team, and uploads", "team.csv")
        filled = {"Group": "wasend-team · wasend", "Or a file with numbers": [("team.csv", TEAM)]}
        await self._slack.submit(ALICE, form.body["id"], filled)
        preview = await self._modal(ALICE, "Preview")
        self._screen.form(preview)
        self._screen.does(ALICE, "clicks", preview.body["submit"]["text"])
        await self._slack.submit(ALICE, preview.body["id"])
        await self._shows(await self._next_parent(before), "results-0")

    async def _removes_and_promotes(self) -> None:
        self._screen.chapter("Remove and promote", "The same for every operation; each has its own words.")
        await self._asks_and_shows("/wa-remove", "wagateway-team +1 415 555 0102, +1 415 555 0199")
        await self._asks_and_shows("/wa-promote", "wasend-team +1 415 555 0101 reason: runs the party")

    async def _denies(self) -> None:
        self._screen.chapter("A denial", "Nothing is sent to the provider, and the reason is told.")
        asked = await self._asks("/wa-promote", "wuts-team +1 415 555 0101")
        await self._click(BOB, "Deny", await self._card(asked))
        modal = await self._modal(BOB, "Deny")
        reason = "One admin is enough here."
        self._screen.does(BOB, "gives the reason", reason)
        await self._slack.submit(BOB, modal.body["id"], {"Reason": reason})
        await self._shows(asked, "closed")

    async def _undoes(self, first: str) -> None:
        self._screen.chapter("Undo", "A button below the first results; it undoes what was done, and nothing else.")
        before = len(self._parents())
        await self._click(ALICE, "Undo", await self._posted(first, "summary"))
        await self._shows(await self._next_parent(before), "results-0")
        await self._shows(first, "summary")

    async def _changes_settings(self) -> None:
        self._screen.chapter("Change a group", "One line for each setting; what a provider cannot do is said before.")
        await self._asks_and_shows("/wa-settings", "wasend-team name: Launch Party announce: on")
        await self._types(ALICE, "/wa-settings", "wacr-team announce: on")

    async def _is_refused(self) -> None:
        self._screen.chapter("Without the right", "Dave's role may read groups, and no more.")
        await self._types(DAVE, "/wa-add", "wacr-team +1 415 555 0101")

    async def _looks_back(self) -> None:
        self._screen.chapter(
            "Look back", "What was asked for in a group, and what became of it; alone it lists all that you asked for."
        )
        await self._types(ALICE, "/wa-requests", "wuts-team")

    async def _verifies(self) -> None:
        self._screen.chapter("rollcall audit verify", "Each row of the audit journal seals the one before it.")
        match await self._audit.verify():
            case ChainBreak(seq=seq, fault=fault):
                raise RuntimeError(f"row {seq} of the audit journal was {fault}")
            case ChainHead(seq=seq):
                self._screen.ends(f"The chain of {seq} rows holds.")

    async def _asks_and_shows(self, command: str, text: str) -> None:
        await self._shows(await self._asks(command, text), "results-0")

    async def _asks(self, command: str, text: str, *, tell: bool = False) -> str:
        """Let Alice ask for something. Gives the `ts` of the request's parent message."""
        before = len(self._parents())
        await self._types(ALICE, command, text, tell=tell)
        return await self._next_parent(before)

    async def _types(self, user: str, command: str, text: str, *, tell: bool = True) -> None:
        """Type a command; with `tell`, show what only this person is told."""
        self._screen.does(user, "types", f"{command} {text}".rstrip())
        before = len(self._slack.ephemerals(user))
        ack = await self._slack.command(user, CHANNEL, command, text)
        await self._slack.wait_for(lambda: len(self._slack.ephemerals(user)) > before, _PATIENCE)
        if tell:
            self._screen.told(user, self._slack.ephemerals(user)[-1], ack.elapsed)

    async def _card(self, asked: str) -> Message:
        """Show the question for approval."""
        card = await self._posted(asked, "approval")
        self._screen.posted(card)
        return card

    async def _click(self, user: str, label: str, message: Message) -> None:
        self._screen.does(user, "clicks", label)
        await self._slack.click(user, CHANNEL, message["ts"], label)

    async def _modal(self, user: str, title: str) -> View:
        """Wait until a person sees the modal with this title."""

        def seen() -> View | None:
            view = self._slack.open_view(user)
            return view if view and view.body["title"]["text"] == title else None

        return await self._slack.wait_for(seen, _PATIENCE)

    async def _next_parent(self, before: int) -> str:
        await self._slack.wait_for(lambda: len(self._parents()) > before, _PATIENCE)
        return str(self._parents()[before]["ts"])

    async def _shows(self, asked: str, *names: str) -> None:
        """Wait until a request has ended, and show these of its messages as they are then."""
        await self._slack.wait_for(lambda: self._has_ended(asked), _PATIENCE)
        for name in names:
            self._screen.posted(await self._posted(asked, name))

    async def _posted(self, asked: str, name: str) -> Message:
        """Wait for the message of a request that the bot posts under this name."""

        def found() -> Message | None:
            thread = self._slack.thread(CHANNEL, asked)
            return next((m for m in thread if m["metadata"]["event_payload"]["name"] == name), None)

        return await self._slack.wait_for(found, _PATIENCE)

    def _has_ended(self, asked: str) -> bool:
        return any(end in self._slack.thread(CHANNEL, asked)[0]["text"] for end in _ENDS)

    def _parents(self) -> list[Message]:
        return [m for m in self._slack.messages(CHANNEL) if m.get("thread_ts", m["ts"]) == m["ts"]]


def _everybody() -> str:
    phones = (f"+{phone[0]} {phone[1:4]} {phone[4:7]} {phone[7:]}" for phone, _ in CAST)
    return ", ".join([*phones, "555-CALL"])
