"""A simulated WhatsApp Gateway (contract `contracts/wagateway.openapi.yaml`): what it does live on WhatsApp."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Literal

from aiohttp import web

from sandbox.providers.wagateway_stored import GROUP_JID, ContactShape, Record, StoredServer
from sandbox.providers.world import Disposition, Effect, SimGroup, World

__all__ = ["ContactShape", "CreatedShape", "WaGatewayServer"]

CreatedShape = Literal["row", "nested", "silent"]

_PHONE = re.compile(r"\+?([0-9]+)")
_USER_JID = re.compile(r"([0-9]+)@s\.whatsapp\.net")
_SETTINGS = {"subject": str, "description": str, "announce": bool, "locked": bool}
_MINUTE = 60.0


class WaGatewayServer(StoredServer):
    """A gateway with one session. An add answers 204 whatever WhatsApp did to the people.

    Takes the arguments of `StoredServer`.

    Attributes:
        malformed_spoils_all: whether a malformed JID keeps the good ones of an add from being added.
        created_shape: the answer to a new group: its row, a row nested in `group`, or nothing that names it.
        free_settings: the fields of an update that need no group admin.
        refused_settings: the fields of an update that are refused as malformed.
        clears_description: whether an empty description clears it, or is passed over.
        message_id_field: `waMessageId` by the reference, `messageId` by the sending guide.
    """

    def __init__(
        self,
        world: World,
        *,
        token: str = "sandbox-token",  # noqa: S107 - the sandbox's own
        latency: float = 0.0,
        session: str = "sess_1",
        permissions: Iterable[str] = ("read", "send", "manage"),
    ) -> None:
        super().__init__(world, token=token, latency=latency, session=session, permissions=permissions)
        # The contract leaves open what becomes of the good JIDs beside a malformed one.
        self.malformed_spoils_all = True
        # The contract does not know the fields of the answer to createGroup.
        self.created_shape: CreatedShape = "row"
        # "Most settings" need a group admin; the contract does not say which do not, nor what else is refused when.
        self.free_settings: frozenset[str] = frozenset()
        self.refused_settings: frozenset[str] = frozenset()
        # The contract does not say what an empty description does.
        self.clears_description = True
        # The reference and the sending guide disagree (x-contradictions).
        self.message_id_field = "waMessageId"

    def routes(self) -> list[web.RouteDef]:
        """Give the routes of what is stored and of what is done live."""
        session = "/api/v1/sessions/{session}"
        group = f"{session}/groups/{{gid}}"
        member = f"{group}/members/{{jid}}"
        return [
            web.get(f"{session}/contacts/check", self._check_contact),
            *super().routes(),
            web.post(f"{session}/groups", self._create_group),
            web.patch(group, self._update_group),
            web.post(f"{group}/members", self._add_members),
            web.delete(member, self._remove_member),
            web.post(f"{member}/promote", self._promote_member),
            web.post(f"{member}/demote", self._demote_member),
            web.get(f"{group}/invite", self._get_invite),
            web.delete(f"{group}/invite", self._revoke_invite),
            web.post(f"{session}/groups:join", self._join_group),
            web.post(f"{group}:leave", self._leave_group),
            web.post(f"{session}/messages", self._send_message),
        ]

    async def _create_group(self, request: web.Request) -> web.Response:
        if (refusal := self.refusal(request, "send")) is not None:
            return refusal
        body = _json(await request.read())
        name, participants = body.get("name"), body.get("participants")
        phones = _phones(participants)
        if not isinstance(name, str) or not name or not phones or None in phones:
            return self.error(400, message="name and participants are required")
        if self.account_state != "connected":
            return self.error(501)
        jid = f"1203639{len(self.world.groups):011}@g.us"
        self.world.create_group(jid, name, filter(None, phones))
        shapes: dict[CreatedShape, Record] = {
            "row": {"groupJid": jid, "subject": name},
            "nested": {"group": {"id": 7, "jid": jid}},
            "silent": {"ok": True},
        }
        return web.json_response(shapes[self.created_shape], status=201)

    async def _update_group(self, request: web.Request) -> web.Response:
        """Apply the fields one after another, as they were sent, until one is refused."""
        group = self.group(request, "send")
        if isinstance(group, web.Response):
            return group
        body = _json(await request.read())
        if any(name in body and not isinstance(body[name], kind) for name, kind in _SETTINGS.items()):
            return self.error(400, message="malformed body")
        if self.account_state != "connected":
            return self.error(501)
        for name in filter(_SETTINGS.__contains__, body):
            if group.left_by_account or (not group.account_is_admin and name not in self.free_settings):
                return self.error(403)
            if name in self.refused_settings:
                return self.error(400, message=f"{name} was refused")
            if name == "description" and not body[name] and not self.clears_description:
                continue
            setattr(group, "announce_only" if name == "announce" else name, body[name])
        return web.Response(status=204)

    async def _add_members(self, request: web.Request) -> web.Response:
        group = self.group(request, "send")
        if isinstance(group, web.Response):
            return group
        phones = _phones(_json(await request.read()).get("participants"))
        if not phones:
            return self.error(400, message="participants must not be empty")
        malformed = None in phones
        if malformed and self.malformed_spoils_all:
            return self.error(400, message="malformed JID")
        if (refusal := self._live_refusal(group)) is not None:
            return refusal
        for phone in filter(None, phones):
            self.world.add(group.id, phone)
        return self.error(400, message="malformed JID") if malformed else web.Response(status=204)

    async def _remove_member(self, request: web.Request) -> web.Response:
        return self._change_member(request, self.world.remove, absent_is_fine=True)

    async def _promote_member(self, request: web.Request) -> web.Response:
        return self._change_member(request, self.world.promote, absent_is_fine=False)

    async def _demote_member(self, request: web.Request) -> web.Response:
        return self._change_member(request, self.world.demote, absent_is_fine=False)

    def _change_member(
        self, request: web.Request, change: Callable[[str, str], Effect], *, absent_is_fine: bool
    ) -> web.Response:
        group = self.group(request, "send")
        if isinstance(group, web.Response):
            return group
        jid = _USER_JID.fullmatch(request.match_info["jid"])
        if jid is None:
            return self.error(400, message="malformed JID")
        if (refusal := self._live_refusal(group)) is not None:
            return refusal
        if change(group.id, jid[1]) is Effect.NOT_A_MEMBER and not absent_is_fine:
            return self.error(404, message="member not found")
        return web.Response(status=204)

    async def _get_invite(self, request: web.Request) -> web.Response:
        return self._invite(request, "read", self.world.invite_of)

    async def _revoke_invite(self, request: web.Request) -> web.Response:
        return self._invite(request, "send", self.world.reset_invite)

    def _invite(self, request: web.Request, permission: str, code_of: Callable[[str], str]) -> web.Response:
        group = self.group(request, permission)
        if isinstance(group, web.Response):
            return group
        if (refusal := self._live_refusal(group)) is not None:
            return refusal
        return web.json_response({"invite": f"https://chat.whatsapp.com/{code_of(group.id)}"})

    async def _join_group(self, request: web.Request) -> web.Response:
        if (refusal := self.refusal(request, "send")) is not None:
            return refusal
        invite = _json(await request.read()).get("invite")
        group = self.world.group_of_invite(invite) if isinstance(invite, str) and invite else None
        if group is None:
            return self.error(400, message="invalid or expired invite")
        if self.account_state != "connected":
            return self.error(501)
        group.left_by_account = False
        return web.json_response({"groupJid": group.id})

    async def _leave_group(self, request: web.Request) -> web.Response:
        group = self.group(request, "send")
        if isinstance(group, web.Response):
            return group
        if self.account_state != "connected":
            return self.error(501)
        group.left_by_account = True
        return web.Response(status=204)

    async def _check_contact(self, request: web.Request) -> web.Response:
        if (refusal := self.refusal(request, "read")) is not None:
            return refusal
        number = _PHONE.fullmatch(request.query.get("phone", ""))
        if number is None:
            return self.error(400, message="phone must be E.164 digits")
        if self.account_state != "connected":
            return self.error(501)
        phone = self.world.canonical(number[1])
        exists = self.world.person(phone).disposition is not Disposition.NO_ACCOUNT
        # The contract leaves open what `jid` is for a number without an account.
        jid = f"{phone}@s.whatsapp.net" if exists else ""
        return web.json_response({"isOnWhatsApp": exists, "jid": jid, "query": number[1]})

    async def _send_message(self, request: web.Request) -> web.Response:
        if (refusal := self.refusal(request, "send")) is not None:
            return refusal
        body = _json(await request.read())
        to, text = str(body.get("to")), body.get("text")
        person = _USER_JID.fullmatch(to)
        if body.get("type") != "text" or not isinstance(text, str) or not (person or GROUP_JID.fullmatch(to)):
            return self.error(400, message="malformed body")
        if self.account_state != "connected":
            return self.error(501)
        if not person and (to not in self.world.groups or self.world.groups[to].left_by_account):
            return self.error(404, message="group not found")
        now = self.world.now()
        if sum(sent.at > now - _MINUTE for sent in self.world.sent) >= self.most_per_minute:
            return self.error(429)
        self.world.send(person[1] if person else to, text)
        number = len(self.world.sent)
        return web.json_response(
            {"mode": "sync", "outboxId": f"outbox-{number}", self.message_id_field: f"3EB0{number:016}"}
        )

    def _live_refusal(self, group: SimGroup) -> web.Response | None:
        """Refuse a live action; that none is possible in a group that was left, the contract gives no status for."""
        if self.account_state != "connected":
            return self.error(501)
        return None if group.account_is_admin and not group.left_by_account else self.error(403)


def _json(content: bytes) -> Record:
    try:
        body = json.loads(content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _phones(participants: object) -> list[str | None]:
    """Give the phone of each JID, None for one that is malformed; nothing for what is no list."""
    if not isinstance(participants, list):
        return []
    jids = [_USER_JID.fullmatch(jid) if isinstance(jid, str) else None for jid in participants]
    return [jid[1] if jid else None for jid in jids]
