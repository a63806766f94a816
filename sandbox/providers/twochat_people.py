"""What the simulated 2Chat does to the people of a group, and what it says of each."""

from collections.abc import Iterable
from typing import Any, Literal

from aiohttp import web

from sandbox.providers.server import Handler
from sandbox.providers.twochat_account import E164, Refusal, TwoChatAccount, body_of
from sandbox.providers.world import Effect, World

MOST_PARTICIPANTS = 10

# The contract shows 200 only. These codes and words are those of whatsapp-web.js (the contract's x-unverified) and, for
# 401 and 421, of WhatsApp's other libraries.
_CODES: dict[Effect, tuple[int, str]] = {
    Effect.ADDED: (200, "The participant was added successfully"),
    Effect.ALREADY_MEMBER: (409, "The participant is already a group member"),
    Effect.PRIVATE: (403, "The participant can be added by sending private invitation only"),
    Effect.NO_ACCOUNT: (404, "The phone number is not registered on WhatsApp"),
    Effect.RECENTLY_LEFT: (408, "You cannot add this participant because they recently left the group"),
    Effect.BLOCKED: (401, "An unknown error occupied while adding a participant"),
    Effect.GROUP_FULL: (419, "The participant can't be added because the group is full"),
    Effect.AWAITS_ADMIN: (421, "An unknown error occupied while adding a participant"),
}

_WAYS = {"remove": World.remove, "promote": World.promote, "demote": World.demote}
_DONE = {Effect.REMOVED, Effect.PROMOTED, Effect.DEMOTED}


class TwoChatPeople(TwoChatAccount):
    """The calls about members.

    Attributes:
        unaccepted_at: where `unaccepted_numbers` sits in the add reply.
        unaccepted_as: whether its items are numbers or objects that hold one.
        unaccepted_have_entries: whether an unaccepted number is in the participants map too.
        sends_invites: whether a private invitation goes out to whoever refuses direct adds (`isInviteV4Sent`).
        answers_canonical: whether the reply's keys are WhatsApp's canonical numbers instead of the numbers as sent.
        roles_answer: what a promotion and a demotion answer besides `success`; the pages were cut off before it.
        accepts_the_same_role: whether they accept who is an admin already, or none.
    """

    def __init__(
        self,
        world: World,
        *,
        token: str = "sandbox-token",  # noqa: S107 - the sandbox's own
        latency: float = 0.0,
        number: str = "595981048477",
    ) -> None:
        super().__init__(world, token=token, latency=latency, number=number)
        self.unaccepted_at: Literal["top", "participants", "group", "data"] = "top"
        self.unaccepted_as: Literal["strings", "objects"] = "strings"
        self.unaccepted_have_entries = False
        self.sends_invites = False
        self.answers_canonical = False
        self.roles_answer: Literal["success", "map", "lists"] = "success"
        self.accepts_the_same_role = False

    def people_routes(self, group: str) -> list[web.RouteDef]:
        """Give the routes of addParticipants, removeParticipants, promoteParticipants and demoteParticipants.

        Args:
            group: the path of a group.
        """
        return [
            web.post(f"{group}/add-participant", self.charged(self._add_participants)),
            *(web.post(f"{group}/{way}-participant", self.charged(self._changing(way))) for way in _WAYS),
        ]

    def group_to_change(self, group_id: str, body: dict[str, Any], *needed: str) -> None:
        """Refuse a change of a group that is unknown, or that lacks something, or that the number may not make."""
        if not {"from_number", *needed} <= body.keys():
            raise Refusal(400)
        self.check_sender(body["from_number"], unknown=404)
        group = self.world.groups.get(group_id)
        if group is None or group.left_by_account:
            raise Refusal(404)
        if not group.account_is_admin:
            # The contract leaves the answer to a number that is no admin open; the words are whatsapp-web.js's.
            raise Refusal(403, "You have no admin rights to add a participant to a group")

    def joining(self, group_id: str, phones: Iterable[str]) -> tuple[dict[str, Any], list[str], list[str]]:
        """Add people. Gives the entries by number, and the accepted and unaccepted numbers."""
        entries: dict[str, Any] = {}
        accepted: list[str] = []
        unaccepted: list[str] = []
        for asked in phones:
            effect = self.world.add(group_id, asked)
            if effect is Effect.NO_ACCOUNT:
                unaccepted.append(f"+{asked}")
                if not self.unaccepted_have_entries:
                    continue
            elif effect is Effect.ADDED:
                accepted.append(f"+{asked}")
            code, words = _CODES[effect]
            entries[f"+{self.world.canonical(asked) if self.answers_canonical else asked}"] = {
                "statusCode": code,
                "message": words,
                "isInviteV4Sent": self.sends_invites and effect is Effect.PRIVATE,
            }
        return entries, accepted, unaccepted

    async def _add_participants(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        group = request.match_info["group"]
        self.group_to_change(group, body, "participants")
        entries, _, unaccepted = self.joining(group, phones_of(body["participants"]))
        # The contract leaves the value of `success` open where numbers fail; its remove example keeps it true.
        reply: dict[str, Any] = {"success": True, "participants": entries}
        holder = reply if self.unaccepted_at == "top" else reply.setdefault(self.unaccepted_at, {})
        as_objects = [{"phone_number": number} for number in unaccepted]
        holder["unaccepted_numbers"] = unaccepted if self.unaccepted_as == "strings" else as_objects
        return web.json_response(reply)

    def _changing(self, way: str) -> Handler:
        async def change(request: web.Request) -> web.Response:
            body = await body_of(request)
            group = request.match_info["group"]
            self.group_to_change(group, body, "participants")
            phones = phones_of(body["participants"])
            effects = {f"+{p}": _WAYS[way](self.world, group, p) for p in phones}
            style = "lists" if way == "remove" else self.roles_answer
            return web.json_response({"success": True, **self._told(style, effects)})

        return change

    def _told(self, style: str, effects: dict[str, Effect]) -> dict[str, Any]:
        """Say what became of people. Whether who has the role already is accepted, the contract leaves open."""
        if style == "success":
            return {}
        good_enough = _DONE | {Effect.ALREADY_ADMIN, Effect.NOT_AN_ADMIN} if self.accepts_the_same_role else _DONE
        accepted = [number for number, effect in effects.items() if effect in good_enough]
        unaccepted = [number for number in effects if number not in accepted]
        if style == "map":
            good = {"statusCode": 200, "message": "done", "isInviteV4Sent": False}
            return {"participants": dict.fromkeys(accepted, good), "unaccepted_numbers": unaccepted}
        lists = {"accepted_numbers": accepted, "unaccepted_numbers": unaccepted}
        return {"participants": {"timestamp": int(self.world.now()), **lists}}


def phones_of(numbers: Any) -> list[str]:
    """Give the digits of a request's numbers, each once. The contract leaves the answers to all but E.164 open."""
    if not isinstance(numbers, list) or len(numbers) > MOST_PARTICIPANTS:
        raise Refusal(422, f"participants must be a list of at most {MOST_PARTICIPANTS} numbers")
    if not all(isinstance(n, str) and E164.fullmatch(n) for n in numbers):
        raise Refusal(422, "A number is not E.164")
    return list(dict.fromkeys(number.removeprefix("+") for number in numbers))
