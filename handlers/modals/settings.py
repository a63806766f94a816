"""Fills the form of `/wa-settings` with what can be changed about the chosen group, and what it is now."""

import asyncio

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.access import Actor
from bot.domain.groups import KnownGroup
from handlers.clients.errors import error_code
from handlers.permissions import ACTIONS, can_do_any
from handlers.services import Services
from handlers.views import settings_modal
from handlers.views.inputs import Prefill
from handlers.views.settings_modal import SettingsData
from providers.base import Action, Group, ProviderError

READ_TIMEOUT = 5.0
"""Seconds that the form waits for the provider; without it, the fields are empty."""

log = structlog.get_logger(__name__)


async def fill(services: Services, client: AsyncWebClient, actor: Actor, prefill: Prefill, **view: str) -> None:
    """Show the fields of a group in a form that is open.

    Args:
        services: knows what can be changed.
        client: asks Slack (views.update).
        actor: who looks at it.
        prefill: the group, and the form's channel.
        view: which form: its `view_id`, or its `external_id`.
    """
    if prefill.group is None:
        return
    built = await _built(services, actor, prefill, prefill.group, view.get("external_id", ""))
    try:
        await client.views_update(view=built, **view)
    except SlackApiError as error:
        if error_code(error) != "not_found":
            raise
        log.info("view_closed_before", user=actor.user_id)


async def _built(services: Services, actor: Actor, prefill: Prefill, group: KnownGroup, external_id: str) -> View:
    provider = services.connections[group.connection].provider
    able = {a: provider.abilities[a] for a in ACTIONS["settings"] if can_do_any(services, actor, group, a)}
    now = None
    if able and can_do_any(services, actor, group, Action.READ_GROUP, Action.LIST_GROUPS):
        now = await _now(services, group)
    return settings_modal.build(prefill, SettingsData(group, able, now), external_id=external_id)


async def _now(services: Services, group: KnownGroup) -> Group | None:
    try:
        async with asyncio.timeout(READ_TIMEOUT):
            return await services.connections[group.connection].provider.group(group.id)
    except (ProviderError, TimeoutError) as error:
        log.info("group_not_read", connection=group.connection, error=type(error).__name__)
        return None
