"""What all buttons of a request do with a click: find its request, refuse it, tell who clicked."""

from dataclasses import replace
from datetime import UTC, datetime

import structlog
from slack_bolt.async_app import AsyncRespond

from bot.domain.audit import refused_click_entry
from bot.domain.groups import KnownGroup
from bot.domain.requests import Request
from handlers.payloads import Click
from handlers.services import Services

GONE = "I know nothing of this request any more; nothing was done."

log = structlog.get_logger(__name__)


async def find(services: Services, request_id: str) -> Request | None:
    """Find a click's request; None where the journal has none of this id."""
    try:
        return await services.requests.get(request_id)
    except LookupError:
        log.warning("click_on_nothing", request=request_id)
        return None


async def record_refused_click(services: Services, request: Request, user_id: str, *, action: str, code: str) -> None:
    """Keep in the audit journal that a click changed nothing."""
    at = datetime.now(UTC)
    await services.audit.add(refused_click_entry(request.id, request, actor=user_id, action=action, code=code, at=at))


async def reply(respond: AsyncRespond, click: Click, text: str) -> None:
    """Tell who clicked, and nobody else, in the place where they clicked."""
    thread = click.container.thread_ts or None
    await respond(text=text, response_type="ephemeral", replace_original=False, thread_ts=thread)


def group_of(services: Services, request: Request) -> KnownGroup:
    """Give the group of a request, by the name that people know it by."""
    group = services.directory.get(request.group)
    return replace(group, subject=group.subject or request.group_name)
