"""What the buttons of a request share: finding the request, recording a refused click, replying to the person."""

from datetime import UTC, datetime

import structlog
from slack_bolt.async_app import AsyncRespond

from bot.domain.audit import refused_click_entry
from bot.domain.requests import Request
from handlers.errors import UserError
from handlers.payloads import Click
from handlers.services import Services

log = structlog.get_logger(__name__)


async def find_request(services: Services, request_id: str) -> Request:
    """Read the request that a click is about. Raises `UserError` if it is gone."""
    try:
        return await services.stores.requests.get(request_id)
    except LookupError:
        log.warning("request_not_found", request=request_id)
        raise UserError("This request no longer exists. Nothing was done.") from None


async def refuse_click(
    services: Services, request: Request, user_id: str, *, action: str, code: str, text: str
) -> UserError:
    """Record in the audit journal that a click changed nothing, and return the error for the person.

    Args:
        services: the audit journal.
        request: the request that the click is about.
        user_id: the Slack user id of the person who clicked.
        action: what the button does.
        code: why it wasn't done.
        text: the same as sentences for the person.
    """
    at = datetime.now(UTC)
    await services.stores.audit.add(
        refused_click_entry(request.id, request, actor=user_id, action=action, code=code, at=at)
    )
    return UserError(text)


async def reply(respond: AsyncRespond, click: Click, text: str) -> None:
    """Send a text to the person who clicked, and to no other, in the place of the click."""
    thread = click.container.thread_ts or None
    await respond(text=text, response_type="ephemeral", replace_original=False, thread_ts=thread)
