"""A simulated WA.cr APP (contract `contracts/wacr.openapi.yaml`): a CRM whose groups are lists of contacts."""

from collections import deque
from collections.abc import Callable
from typing import Any

from aiohttp import web

from sandbox.providers.server import Handler
from sandbox.providers.wacr_account import AccountServer
from sandbox.providers.wacr_contacts import Details
from sandbox.providers.wacr_records import SimContact, body_of, error, group_record, page
from sandbox.providers.world import Effect, SimGroup, World

PREFIX = "/api/v2"
SCOPES = frozenset({"account:read", "contacts:read", "contacts:write", "groups:read", "groups:write", "messages:send"})

_MINUTE = 60.0
_NAME_LENGTH = 255


class WacrServer(AccountServer):
    """One tenant of WA.cr.

    The CRM takes any phone and asks WhatsApp nothing, so dispositions, admin rights and a disconnected account mean
    nothing to its groups. Members of the world's groups get a contact, with a plus sign before the phone.

    Args:
        world: the groups behind it, their ids in decimal.
        token: the API token it accepts.
        latency: seconds that every call takes.
        calls_per_minute: how many calls the token may make (contract default 60).

    Attributes:
        account_state: `restricted` shows as a suspended tenant, and the contract leaves open what else that would stop;
            `disconnected` is a tenant without a WhatsApp number, which sends no texts.
        scopes: what the token may do.
        deletes_silently: whether a deleted group is answered without a body (contract leaves it open).
        removes_only_known: whether removing an id that is nobody's is refused (contract leaves it open).
        stops_at_unknown: the status of a removal that ends at an id that is nobody's, those before it done; None: it
            goes on (contract leaves it open).
        passes_over_opted_out: whether contacts who opted out neither come nor go (contract leaves it open).
    """

    name = "wacr"

    def __init__(
        self,
        world: World,
        *,
        token: str = "sandbox-token",  # noqa: S107 - the sandbox's own
        latency: float = 0.0,
        calls_per_minute: int = 60,
    ) -> None:
        super().__init__(world, token=token, latency=latency, calls_per_minute=calls_per_minute)
        self.scopes = set(SCOPES)
        self.deletes_silently = False
        self.removes_only_known = False
        self.stops_at_unknown: int | None = None
        self.passes_over_opted_out = False
        self._accepted: deque[float] = deque()

    def routes(self) -> list[web.RouteDef]:
        """Give the operations of groups, contacts, account and texts, and the lists of sources and statuses."""
        handlers: dict[tuple[str, str], tuple[str, Handler]] = {
            ("GET", "/groups"): ("groups:read", self._list_groups),
            ("POST", "/groups"): ("groups:write", self._create_group),
            # The scopes of these two are not documented; reading and changing groups are the nearest.
            ("GET", "/groups/{id}"): ("groups:read", self._on_group(self._get_group)),
            ("DELETE", "/groups/{id}"): ("groups:write", self._on_group(self._delete_group)),
            ("PATCH", "/groups/{id}"): ("groups:write", self._on_group(self._rename_group)),
            ("POST", "/groups/{id}/contacts"): ("groups:write", self._on_group(self._add_contacts)),
            ("DELETE", "/groups/{id}/contacts"): ("groups:write", self._on_group(self._remove_contacts)),
            ("GET", "/contacts"): ("contacts:read", self.list_contacts),
            ("POST", "/contacts"): ("contacts:write", self.create_contact),
            ("POST", "/contacts/batch"): ("contacts:write", self.create_batch),
            ("GET", "/account"): ("account:read", self.get_account),
            ("GET", "/account/usage"): ("account:read", self.get_usage),
            ("GET", "/account/limits"): ("account:read", self.get_limits),
            ("POST", "/messages/text"): ("messages:send", self.send_text),
            # The scope of these two is not documented; reading contacts is the nearest.
            ("GET", "/sources"): ("contacts:read", _list_of(lambda: self.sources)),
            ("GET", "/statuses"): ("contacts:read", _list_of(lambda: self.statuses)),
        }
        return [
            web.route(method, PREFIX + path, self._guarded(scope, handler))
            for (method, path), (scope, handler) in handlers.items()
        ]

    def error(self, status: int, code: str = "", message: str = "") -> web.Response:
        """Give an error."""
        return error(status, code, message, {})

    def _guarded(self, scope: str, handler: Handler) -> Handler:
        async def answer(request: web.Request) -> web.StreamResponse:
            if self._too_many():
                return self.error(429)
            if scope not in self.scopes:
                return self.error(403)
            self._give_members_contacts()
            return await handler(request)

        return answer

    def _too_many(self) -> bool:
        """Count this call; whether the window slides is left open by the contract, here it does."""
        now = self.world.now()
        while self._accepted and self._accepted[0] <= now - _MINUTE:
            self._accepted.popleft()
        if len(self._accepted) >= self.calls_per_minute:
            return True
        self._accepted.append(now)
        return False

    def _give_members_contacts(self) -> None:
        known = {contact.digits for contact in self.contacts.values()}
        for phone in (phone for group in self.world.groups.values() for phone in group.members):
            if phone not in known:
                self.put_contact(f"+{phone}")
                known.add(phone)

    def _on_group(self, handler: Callable[[SimGroup, dict[str, Any]], web.Response]) -> Handler:
        """Look the group up first, and read the body."""

        async def answer(request: web.Request) -> web.StreamResponse:
            group = self.world.groups.get(request.match_info["id"])
            return handler(group, await body_of(request)) if group else self.error(404)

        return answer

    async def _list_groups(self, request: web.Request) -> web.Response:
        search = request.query.get("search", "").lower()
        found = [group for group in self.world.groups.values() if search in group.subject.lower()]
        return page(request, [group_record(group) for group in sorted(found, key=lambda group: group.subject)])

    async def _create_group(self, request: web.Request) -> web.Response:
        name = (await body_of(request)).get("name")
        if problems := self._problems_of_name(name):
            return error(422, "", "", problems)
        group_id = str(max(map(int, self.world.groups), default=0) + 1)
        self.world.create_group(group_id, str(name), ())
        record = group_record(self.world.groups[group_id])
        return web.json_response({"message": "Group created successfully", "data": record}, status=201)

    def _get_group(self, group: SimGroup, _: dict[str, Any]) -> web.Response:
        return web.json_response({"data": group_record(group)})

    def _rename_group(self, group: SimGroup, body: dict[str, Any]) -> web.Response:
        if problems := self._problems_of_name(body.get("name"), group):
            return error(422, "", "", problems)
        group.subject = body["name"]
        return web.json_response({"message": "Group updated successfully", "data": group_record(group)})

    def _delete_group(self, group: SimGroup, _: dict[str, Any]) -> web.Response:
        del self.world.groups[group.id]
        if not self.strips_deleted:
            self.deleted[group.id] = set(group.members)
        if self.deletes_silently:
            return web.Response(status=204)
        return web.json_response({"message": "Group deleted successfully"})

    def _problems_of_name(self, name: Any, itself: SimGroup | None = None) -> Details:
        if not isinstance(name, str) or not name:
            return {"name": ["Group name is required"]}
        if len(name) > _NAME_LENGTH:
            return {"name": ["The name may not be greater than 255 characters"]}
        if any(group.subject == name for group in self.world.groups.values() if group is not itself):
            return {"name": ["A group with this name already exists"]}
        return {}

    def _add_contacts(self, group: SimGroup, body: dict[str, Any]) -> web.Response:
        ids = body.get("contact_ids")
        if problems := self._problems_of_ids(ids, only_known=True):
            return error(422, "", "", problems)
        # What the same id twice does is left open by the contract; here it counts once.
        added = sum(self.enrol(group, contact) for contact in self._movable(ids))
        return web.json_response({"data": {"group_id": int(group.id), "contacts_added": added}})

    def _remove_contacts(self, group: SimGroup, body: dict[str, Any]) -> web.Response:
        ids = body.get("contact_ids")
        if problems := self._problems_of_ids(ids, only_known=self.removes_only_known):
            return error(422, "", "", problems)
        ids = list(ids or ())
        lost = [place for place, number in enumerate(ids) if number not in self.contacts]
        if lost and self.stops_at_unknown:
            ids = ids[: lost[0]]
        people = {contact.digits for contact in self._movable(ids)}
        removed = sum(self.world.remove(group.id, phone) is Effect.REMOVED for phone in sorted(people))
        if lost and self.stops_at_unknown:
            return self.error(self.stops_at_unknown)
        return web.json_response({"data": {"group_id": int(group.id), "contacts_removed": removed}})

    def _movable(self, ids: Any) -> list[SimContact]:
        """Give the contacts with these ids, each once, without those that are passed over."""
        found = [self.contacts[number] for number in sorted(set(ids)) if number in self.contacts]
        return [contact for contact in found if not (self.passes_over_opted_out and contact.is_opted_out)]

    def _problems_of_ids(self, ids: Any, *, only_known: bool) -> Details:
        if not ids:
            return {"contact_ids": ["Contact IDs are required"]}
        if not isinstance(ids, list):
            return {"contact_ids": ["Contact IDs must be an array"]}
        return {
            f"contact_ids.{index}": ["One or more contact IDs do not exist"]
            for index, number in enumerate(ids)
            if type(number) is not int or (only_known and number not in self.contacts)
        }


def _list_of(records: Callable[[], dict[int, str]]) -> Handler:
    async def answer(request: web.Request) -> web.StreamResponse:
        return page(request, [{"id": number, "name": name} for number, name in records().items()])

    return answer
