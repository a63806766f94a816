"""A simulated WhatsApp Gateway (contract `contracts/wagateway.openapi.yaml`): its session, contacts and messages."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from aiohttp import web

from sandbox.providers.server import ProviderServer, json_object
from sandbox.providers.wagateway_groups import GROUP_JID, LONG_AGO, OWN_PHONE, USER_JID, GroupCalls, Record
from sandbox.providers.world import Disposition, Membership, SimGroup

ContactShape = Literal["flat", "nested", "bare"]
CreatedShape = Literal["row", "nested", "silent"]

_PHONE = re.compile(r"\+?([0-9]+)")
_MINUTE = 60.0
_CODES = {
    400: "validation_error",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    429: "rate_limited",
    501: "not_implemented",
}
_MAX_PAGE = 200


@dataclass(kw_only=True, eq=False)
class WaGatewayServer(ProviderServer):
    """A gateway with one session. An add answers 204 whatever WhatsApp did to the people.

    It accepts the token as a bearer token or in `x-api-key`.

    Attributes:
        session: the session's id.
        permissions: what the credential may do: `read`, `send`, `manage`.
        rows_per_page: how many groups or members are on one page; None for all, as the contract has it today.
        contact_shape: the rows of the contact list, which the contract leaves open: an identity, one nested like a
            contact's, or one without phone.
        reading_sessions_needs: `manage` by the session pages, `read` by the API-keys guide (x-contradictions).
        phoneless: phones of people whose contact is stored without a phone.
        unstored: phones of people without a stored contact.
        keeps_leavers: whether people who left stay in the member list, though not in the group's count. The contract
            leaves it open.
        names: the names of stored contacts, by phone.
        most_per_minute: how many texts the session may send in a minute.
        malformed_spoils_all: whether a malformed JID keeps the good ones of an add from being added (left open).
        created_shape: the response to a new group, which the contract leaves open: its row, a row nested in `group`,
            or nothing that names it.
        free_settings: the fields of an update that need no group admin. "Most settings" need one; the contract does not
            say which do not.
        refused_settings: the fields of an update that are refused as malformed (left open).
        clears_description: whether an empty description clears it, or is ignored (left open).
        message_id_field: `waMessageId` by the reference, `messageId` by the sending guide (x-contradictions).
    """

    name: ClassVar[str] = "wagateway"
    session: str = "sess_1"
    permissions: frozenset[str] = frozenset({"read", "send", "manage"})
    rows_per_page: int | None = None
    contact_shape: ContactShape = "flat"
    reading_sessions_needs: str = "manage"
    phoneless: set[str] = field(default_factory=set)
    unstored: set[str] = field(default_factory=set)
    keeps_leavers: bool = False
    names: dict[str, str] = field(default_factory=dict)
    most_per_minute: int = 20
    malformed_spoils_all: bool = True
    created_shape: CreatedShape = "row"
    free_settings: frozenset[str] = frozenset()
    refused_settings: frozenset[str] = frozenset()
    clears_description: bool = True
    message_id_field: str = "waMessageId"

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the session, its groups, members, contacts and messages."""
        session = "/api/v1/sessions/{session}"
        return [
            web.get(session, self._get_session),
            web.get(f"{session}/contacts/check", self._check_contact),
            web.get(f"{session}/contacts", self._list_contacts),
            web.get(f"{session}/contacts/{{lid}}", self._get_contact),
            web.post(f"{session}/messages", self._send_message),
            *GroupCalls(self).routes(session),
        ]

    def authorized(self, request: web.Request) -> bool:
        """Return whether the request carries the token, in either of the two headers."""
        return super().authorized(request) or request.headers.get("x-api-key") == self.token

    def error(self, status: int, code: str = "", message: str = "") -> web.Response:
        """Return the error envelope. The contract names no code for a server's own failure, and one message only."""
        code = code or _CODES.get(status, "internal")
        problem = {"code": code, "message": message or code.replace("_", " "), "details": {}}
        return web.json_response({"error": problem}, status=status)

    def check(self, request: web.Request, permission: str) -> None:
        """Check the permission, then the session; the contract leaves the order open.

        Raises:
            ErrorResponse: the credential lacks the permission, or the session is another.
        """
        if permission not in self.permissions:
            raise self.fail(403)
        if request.match_info["session"] != self.session:
            raise self.fail(404, message="session not found")

    def check_connected(self) -> None:
        """Check that the session is connected."""
        if self.account_state != "connected":
            raise self.fail(501)

    def page(self, request: web.Request, rows: Sequence[Record], size: int | None) -> web.Response:
        """Return one page of rows."""
        start = int(request.query.get("cursor", "0"))
        end = start + (size or len(rows))
        cursor = str(end) if end < len(rows) else ""
        return web.json_response({"data": rows[start:end], "nextCursor": cursor})

    def listed(self, group: SimGroup) -> list[Membership]:
        """Return the members as they are stored, each once."""
        gone = group.gone if self.keeps_leavers else []
        return list({member.phone: member for member in (*gone, *self.world.visible_members(group.id))}.values())

    def millis(self) -> int:
        """Return the world's time in milliseconds."""
        return int(self.world.now() * 1000)

    async def _get_session(self, request: web.Request) -> web.Response:
        self.check(request, self.reading_sessions_needs)
        # The contract names two states. A restricted account has none of its own: WhatsApp has logged it out.
        status = "working" if self.account_state == "connected" else "scan_qr_code"
        return web.json_response(
            {
                "id": self.session,
                "label": "Front desk",
                "status": status,
                "phoneNumber": OWN_PHONE,
                "waJid": f"{OWN_PHONE}@s.whatsapp.net",
                "ratePerMin": self.most_per_minute,
                "ratePerHour": self.most_per_minute * 30,
                "updatedAt": self.millis(),
            }
        )

    async def _list_contacts(self, request: web.Request) -> web.Response:
        self.check(request, "read")
        limit = request.query.get("limit", "50")
        if not limit.isdecimal():
            raise self.fail(400, message="limit must be a number")
        wanted = request.query.get("group")
        if wanted is not None and not GROUP_JID.fullmatch(wanted):
            raise self.fail(400, message="malformed JID")
        source = request.query.get("source", "group")
        if source not in {"dm", "group"}:
            raise self.fail(400, message="source must be dm or group")
        # All people were seen in a group; none has written.
        seen = self._seen(lambda group: wanted in (None, group.id)) if source == "group" else []
        rows = [self._contact_row(phone) for phone in seen if self._is_called(phone, request.query.get("q", ""))]
        # The contract says that a limit out of range is clamped.
        return self.page(request, rows, min(max(int(limit), 1), _MAX_PAGE))

    async def _get_contact(self, request: web.Request) -> web.Response:
        self.check(request, "read")
        phone = self.world.phone_of_lid(request.match_info["lid"].removesuffix("@lid"))
        if phone is None or phone not in self._seen():
            raise self.fail(404, message="contact not found")
        groups = [
            {"jid": group.id, "name": group.subject, "role": member.role, "tag": "", "lastSeen": 0}
            for group in self.world.groups.values()
            for member in self.world.visible_members(group.id)
            if member.phone == phone
        ]
        return web.json_response({"dm": False, "groups": groups, "identity": self._identity(phone)})

    def _seen(self, wanted: Callable[[SimGroup], bool] = lambda _: True) -> list[str]:
        """Return the phones of stored contacts: the people that the session has seen in its groups."""
        groups = [group for group in self.world.groups.values() if wanted(group)]
        phones = dict.fromkeys(member.phone for group in groups for member in self.listed(group))
        return [phone for phone in phones if phone not in self.unstored]

    def _is_called(self, phone: str, part: str) -> bool:
        row = self._identity(phone)
        return any(part.casefold() in str(row.get(field, "")).casefold() for field in ("name", "phoneNumber"))

    def _contact_row(self, phone: str) -> Record:
        identity = self._identity(phone)
        if self.contact_shape == "nested":
            return {"dm": False, "identity": identity}
        if self.contact_shape == "bare":
            return {"lid": identity["lid"], "name": identity["name"]}
        return identity

    def _identity(self, phone: str) -> Record:
        row: Record = {"id": 1, "lid": f"{self.world.person(phone).lid}@lid", "updatedAt": LONG_AGO}
        row["name"] = self.names.get(phone, "")
        if phone in self.phoneless:
            return row
        return row | {"phoneJid": f"{phone}@s.whatsapp.net", "phoneNumber": phone}

    async def _check_contact(self, request: web.Request) -> web.Response:
        self.check(request, "read")
        number = _PHONE.fullmatch(request.query.get("phone", ""))
        if number is None:
            raise self.fail(400, message="phone must be E.164 digits")
        self.check_connected()
        phone = self.world.canonical(number[1])
        exists = self.world.person(phone).disposition is not Disposition.NO_ACCOUNT
        # The contract leaves open what `jid` is for a number without an account.
        jid = f"{phone}@s.whatsapp.net" if exists else ""
        return web.json_response({"isOnWhatsApp": exists, "jid": jid, "query": number[1]})

    async def _send_message(self, request: web.Request) -> web.Response:
        self.check(request, "send")
        body = await json_object(request)
        to, text = str(body.get("to")), body.get("text")
        person = USER_JID.fullmatch(to)
        if body.get("type") != "text" or not isinstance(text, str) or not (person or GROUP_JID.fullmatch(to)):
            raise self.fail(400, message="malformed body")
        self.check_connected()
        if not person and (to not in self.world.groups or self.world.groups[to].left_by_account):
            raise self.fail(404, message="group not found")
        now = self.world.now()
        if sum(sent.at > now - _MINUTE for sent in self.world.sent) >= self.most_per_minute:
            raise self.fail(429)
        self.world.send(person[1] if person else to, text)
        number = len(self.world.sent)
        return web.json_response(
            {"mode": "sync", "outboxId": f"outbox-{number}", self.message_id_field: f"3EB0{number:016}"}
        )
