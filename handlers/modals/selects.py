"""The options of the forms' searchable selects."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import structlog
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.groups import search
from bot.services.authorization import FORM_ACTIONS
from handlers.payloads import Named, Payload
from handlers.services import Services
from handlers.views import inputs, request_forms
from providers.base import Action

READ_TIMEOUT = 1.5
"""Seconds that a search waits for connections whose cache has expired: Slack waits for 3."""
NAMES_TTL = 300.0
"""Seconds for which the names of the user groups are cached: usergroups.list allows 20 calls a minute."""

log = structlog.get_logger(__name__)


class _View(Payload):
    callback_id: str = ""


class _Search(Payload):
    """The payload of a `block_suggestion` (docs.slack.dev, "Block suggestion payload")."""

    user: Named
    view: _View = _View()
    block_id: str = ""
    value: str = ""


class UserGroupNames:
    """The names of the workspace's user groups, cached for `NAMES_TTL` seconds.

    Args:
        clock: returns the time in seconds, on any scale.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._names: dict[str, str] = {}
        self._read_at: float | None = None

    async def matching(self, client: AsyncWebClient, text: str) -> dict[str, str]:
        """Return the names that contain a text, by id; from an older cache if Slack doesn't answer."""
        if self._read_at is None or self._clock() - self._read_at >= NAMES_TTL:
            try:
                async with asyncio.timeout(READ_TIMEOUT):
                    answer = await client.usergroups_list()
                self._names = {g["id"]: f"{g['name']} (@{g['handle']})" for g in answer["usergroups"]}
                self._read_at = self._clock()
            except Exception:
                # Whatever Slack or the network does, the cached names can still be chosen.
                log.warning("user_groups_not_listed", exc_info=True)
        return {id_: name for id_, name in self._names.items() if text.casefold() in name.casefold()}


def register(app: AsyncApp, services: Services) -> None:
    """Register the selects."""
    names = UserGroupNames()

    @app.options(inputs.GROUP_SELECT)
    async def suggest_groups(ack: AsyncAck, body: dict[str, Any]) -> None:
        await ack(**await _groups(services, _Search.model_validate(body)))

    @app.options(request_forms.USERGROUP_SELECT)
    async def suggest_usergroups(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        found = await names.matching(client, _Search.model_validate(body).value)
        await ack(options=request_forms.usergroup_options(found))


async def _groups(services: Services, query: _Search) -> dict[str, Any]:
    actor, _ = await asyncio.gather(
        services.slack.user_groups.actor(query.user.id), services.directory.refresh(max_wait=READ_TIMEOUT)
    )
    is_source = query.block_id == request_forms.OTHER_BLOCK
    actions = (Action.LIST_MEMBERS,) if is_source else FORM_ACTIONS.get(query.view.callback_id, ())
    known = services.directory.known()
    hits = dict.fromkeys([*search(query.value, known), *(g for g in known if inputs.is_shown_as(g, query.value))])
    return inputs.offered([group for group in hits if services.authorizer.allows_any(actor, actions, group)])
