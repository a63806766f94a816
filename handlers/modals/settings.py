"""Fills the form of `/wa-settings` with the settings of the chosen group and their current values."""

import asyncio

import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.models.views import View
from slack_sdk.web.async_client import AsyncWebClient

from bot.domain.access import Actor
from bot.domain.groups import KnownGroup
from bot.services.authorization import FORM_ACTIONS
from handlers.clients.errors import error_code
from handlers.services import Services
from handlers.views import settings_modal
from handlers.views.inputs import Prefill
from handlers.views.settings_modal import SettingsData
from providers.base import Action, Group, ProviderError

READ_TIMEOUT = 5.0
"""Seconds that the form waits for the provider. After that, the fields are empty."""

log = structlog.get_logger(__name__)


async def fill(services: Services, client: AsyncWebClient, actor: Actor, prefill: Prefill, **view: str) -> None:
    """Show the settings of a group in an open form.

    Args:
        services: the permissions and connections.
        client: calls Slack (views.update).
        actor: the person.
        prefill: the group, and the channel of the request.
        view: the form's `view_id` or `external_id`.
    """
    if prefill.group is None:
        return
    form = await _build(services, actor, prefill, prefill.group, view.get("external_id", ""))
    try:
        await client.views_update(view=form, **view)
    except SlackApiError as error:
        if error_code(error) != "not_found":
            raise
        log.info("modal_closed", user=actor.user_id)


async def _build(services: Services, actor: Actor, prefill: Prefill, group: KnownGroup, external_id: str) -> View:
    provider = services.connections[group.connection].provider
    able = {a: provider.abilities[a] for a in FORM_ACTIONS["settings"] if services.authorizer.allows(actor, a, group)}
    current = None
    if able and services.authorizer.allows_any(actor, (Action.READ_GROUP, Action.LIST_GROUPS), group):
        current = await _read_group(services, group)
    return settings_modal.build(prefill, SettingsData(group, able, current), external_id=external_id)


async def _read_group(services: Services, group: KnownGroup) -> Group | None:
    try:
        async with asyncio.timeout(READ_TIMEOUT):
            return await services.connections[group.connection].provider.group(group.id)
    except (ProviderError, TimeoutError) as error:
        log.info("group_not_read", connection=group.connection, error=type(error).__name__)
        return None
