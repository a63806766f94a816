"""The scenes of the tour: what people do, and what they see."""

from bot.cli.demo.screen import Screen
from bot.cli.demo.session import CAST
from bot.domain.audit_chain import ChainBreak, ChainHead
from bot.storage.audit import AuditJournal
from sandbox.sandbox import Sandbox
from sandbox.slack.workspace import Message, SlackView

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
"""Carol may override approvals, which the WUTS group requires."""
TEAM = b"Name,Mobile\nAnn,+1 415-555-0106\nBen,(415) 555-0107\nCy,\nAnn again,14155550106\n"
"""A file as a spreadsheet exports it."""

_WAIT_TIMEOUT = 60.0
"""Seconds that the tour waits for one event."""
_ENDS = ("✅ Done", "⚠️", "📋", "⛔")
"""The icons in the parent message of a request that has ended."""


class Story:
    """Plays the scenes.

    Args:
        sandbox: the sandbox, in which the bot is running.
        screen: prints.
        audit: the bot's audit journal.
    """

    def __init__(self, sandbox: Sandbox, screen: Screen, audit: AuditJournal) -> None:
        self._slack = sandbox.slack
        self._screen = screen
        self._audit = audit

    async def play(self) -> None:
        """Play all scenes.

        Raises:
            TimeoutError: an expected message did not appear.
            RuntimeError: the audit journal's chain is broken.
        """
        added = await self._add_people()
        await self._use_form()
        await self._remove_and_promote()
        await self._deny()
        await self._undo(added)
        await self._change_settings()
        await self._be_refused()
        await self._look_back()
        await self._verify_audit()
        self._screen.success("The tour is over: every name got an answer.")

    async def _add_people(self) -> str:
        """Add six entries at each provider. Return the `ts` of the first request's parent message."""
        self._screen.chapter(
            "Add people · WA.cr", "Six entries, six answers. Here is everything that appears in Slack."
        )
        first = await self._request("/wa-add", f"wacr-team {_entries()} reason: launch party", show=True)
        await self._show(first, "summary", "parent")
        self._screen.chapter(
            "Add people · WhatsApp Gateway", "It doesn't report results per person, so the group is read back."
        )
        await self._request_and_show("/wa-add", f"wagateway-team {_entries()}")
        self._screen.chapter(
            "Add people · Wasend", "People who block direct adds get an invite, because Alice asked for that."
        )
        await self._request_and_show("/wa-add", f"wasend-team {_entries()} invite: yes")
        self._screen.chapter("Add people · WUTS", "A rule requires approval for this group.")
        parent = await self._request("/wa-add", f"wuts-team {_entries()} reason: launch party")
        await self._click(BOB, "Approve", await self._show_approval(parent))
        await self._show(parent, "summary")
        self._screen.chapter("Add people · 2Chat", "It reports a result for each person.")
        await self._request_and_show("/wa-add", f"twochat-team {_entries()}")
        return first

    async def _use_form(self) -> None:
        self._screen.chapter("A form with a file", "A preview shows what would be done before anything is submitted.")
        before = len(self._parents())
        self._screen.action(ALICE, "types", "/wa-add")
        await self._slack.command(ALICE, CHANNEL, "/wa-add")
        modal = await self._modal(ALICE, "Add to a group")
        self._screen.action(ALICE, "chooses wasend-team, and uploads", "team.csv")
        filled = {"Group": "wasend-team · wasend", "Or a file with numbers": [("team.csv", TEAM)]}
        await self._slack.submit(ALICE, modal.body["id"], filled)
        preview = await self._modal(ALICE, "Preview")
        self._screen.modal(preview)
        self._screen.action(ALICE, "clicks", preview.body["submit"]["text"])
        await self._slack.submit(ALICE, preview.body["id"])
        await self._show(await self._next_parent(before), "summary")

    async def _remove_and_promote(self) -> None:
        self._screen.chapter("Remove and promote", "Every operation works the same way.")
        await self._request_and_show("/wa-remove", "wagateway-team +1 415 555 0102, +1 415 555 0199")
        await self._request_and_show("/wa-promote", "wasend-team +1 415 555 0101 reason: runs the party")

    async def _deny(self) -> None:
        self._screen.chapter("A denial", "Nothing is sent to the provider, and everyone sees the reason.")
        parent = await self._request("/wa-promote", "wuts-team +1 415 555 0101")
        await self._click(BOB, "Deny", await self._show_approval(parent))
        modal = await self._modal(BOB, "Deny")
        reason = "One admin is enough here."
        self._screen.action(BOB, "gives the reason", reason)
        await self._slack.submit(BOB, modal.body["id"], {"Reason": reason})
        await self._show(parent, "closed")

    async def _undo(self, first: str) -> None:
        self._screen.chapter("Undo", "A button below the first results. It undoes what was done, and nothing else.")
        reply = await self._posted(first, "summary")
        await self._click(ALICE, "Undo", reply)
        await self._slack.wait_for(lambda: "removed" in self._slack.thread(CHANNEL, first)[0]["text"], _WAIT_TIMEOUT)
        self._screen.message(self._slack.thread(CHANNEL, first)[-1])
        await self._show(first, "parent")

    async def _change_settings(self) -> None:
        self._screen.chapter(
            "Change a group", "One result for each setting. Rollcall says in advance what a provider can't do."
        )
        await self._request_and_show("/wa-settings", "wasend-team name: Launch Party announce: on")
        await self._type(ALICE, "/wa-settings", "wacr-team announce: on")

    async def _be_refused(self) -> None:
        self._screen.chapter("Without permission", "Dave's role may only read groups.")
        await self._type(DAVE, "/wa-add", "wacr-team +1 415 555 0101")

    async def _look_back(self) -> None:
        self._screen.chapter(
            "Look back", "The requests for a group, with their results. Without a group, it lists your own requests."
        )
        await self._type(ALICE, "/wa-requests", "wuts-team")

    async def _verify_audit(self) -> None:
        self._screen.chapter(
            "rollcall audit verify", "Each row of the audit journal contains the hash of the one before it."
        )
        match await self._audit.verify():
            case ChainBreak(seq=seq, fault=fault):
                raise RuntimeError(f"row {seq} of the audit journal was {fault}")
            case ChainHead(seq=seq):
                self._screen.success(f"The chain of {seq} rows is intact.")

    async def _request_and_show(self, command: str, text: str) -> None:
        await self._show(await self._request(command, text), "summary")

    async def _request(self, command: str, text: str, *, show: bool = False) -> str:
        """Submit a request as Alice. Return the `ts` of its parent message."""
        before = len(self._parents())
        await self._type(ALICE, command, text, show=show)
        return await self._next_parent(before)

    async def _type(self, user: str, command: str, text: str, *, show: bool = True) -> None:
        """Type a command; with `show`, print the answer that only this person sees."""
        self._screen.action(user, "types", f"{command} {text}".rstrip())
        before = len(self._slack.ephemerals(user))
        ack = await self._slack.command(user, CHANNEL, command, text)
        await self._slack.wait_for(lambda: len(self._slack.ephemerals(user)) > before, _WAIT_TIMEOUT)
        if show:
            self._screen.ephemeral(user, self._slack.ephemerals(user)[-1], ack.elapsed)

    async def _show_approval(self, parent: str) -> Message:
        """Print the approval request."""
        message = await self._posted(parent, "approval")
        self._screen.message(message)
        return message

    async def _click(self, user: str, label: str, message: Message) -> None:
        self._screen.action(user, "clicks", label)
        await self._slack.click(user, CHANNEL, message["ts"], label)

    async def _modal(self, user: str, title: str) -> SlackView:
        """Wait for a person's modal with this title."""

        def opened() -> SlackView | None:
            view = self._slack.open_view(user)
            return view if view and view.body["title"]["text"] == title else None

        return await self._slack.wait_for(opened, _WAIT_TIMEOUT)

    async def _next_parent(self, before: int) -> str:
        await self._slack.wait_for(lambda: len(self._parents()) > before, _WAIT_TIMEOUT)
        return str(self._parents()[before]["ts"])

    async def _show(self, parent: str, *names: str) -> None:
        """Wait until a request has ended, and print these messages of it."""
        await self._slack.wait_for(lambda: self._has_ended(parent), _WAIT_TIMEOUT)
        for name in names:
            self._screen.message(await self._posted(parent, name))

    async def _posted(self, parent: str, name: str) -> Message:
        """Wait for the message that the bot posts under this name for a request."""

        def found() -> Message | None:
            thread = self._slack.thread(CHANNEL, parent)
            return next((m for m in thread if m["metadata"]["event_payload"]["name"] == name), None)

        return await self._slack.wait_for(found, _WAIT_TIMEOUT)

    def _has_ended(self, parent: str) -> bool:
        return any(end in self._slack.thread(CHANNEL, parent)[0]["text"] for end in _ENDS)

    def _parents(self) -> list[Message]:
        return [m for m in self._slack.messages(CHANNEL) if m.get("thread_ts", m["ts"]) == m["ts"]]


def _entries() -> str:
    phones = (f"+{phone[0]} {phone[1:4]} {phone[4:7]} {phone[7:]}" for phone, _ in CAST)
    return ", ".join([*phones, "555-CALL"])
