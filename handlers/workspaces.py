"""Only people of the app's own workspace may use it, and of those that `slack.workspaces` names."""

from collections.abc import Awaitable, Callable, Collection, Iterator
from typing import Any

import structlog
from slack_bolt.async_app import AsyncBoltContext
from slack_bolt.response import BoltResponse

from handlers.answering import Cause, send
from handlers.views import answers

_PERSON_FIELDS = ("team", "user_team", "source_team")
"""The workspaces that an event names for its person and its message, in Slack Connect channels."""

log = structlog.get_logger(__name__)


def checking(workspaces: Collection[str]) -> Callable[..., Awaitable[BoltResponse | None]]:
    """Return the middleware that stops payloads of people from other workspaces, before any listener.

    Everyone in a Slack Connect channel can mention the app and click its buttons, so a valid signature doesn't show
    that a person belongs to the workspace (docs.slack.dev/apis/slack-connect).

    Args:
        workspaces: the ids of the workspaces whose people may use the app, and of their organisation.
    """

    async def checked(
        body: dict[str, Any],
        context: AsyncBoltContext,
        next: Callable[[], Awaitable[None]],  # noqa: A002 - Bolt's name
    ) -> BoltResponse | None:
        named = set(_workspaces(body))
        if named and named <= set(workspaces):
            await next()
            return None
        cause = Cause.read(body)
        surface = cause.command or cause.type
        log.warning("foreign_workspace", surface=surface, user=cause.person, workspaces=sorted(named - set(workspaces)))
        acknowledgement = cause.acknowledgement(answers.FOREIGN_WORKSPACE)
        if acknowledgement is None and cause.type == "block_actions":
            await _send(context, cause)
        return BoltResponse(status=200, body=acknowledgement or "")

    return checked


async def _send(context: AsyncBoltContext, cause: Cause) -> None:
    try:
        await send(context, cause, answers.FOREIGN_WORKSPACE)
    except Exception:
        log.warning("answer_not_sent", user=cause.person, exc_info=True)


def _workspaces(body: dict[str, Any]) -> Iterator[str]:
    """Yield the ids of the workspaces that a payload names: where it comes from, and that of its person."""
    event, user = _object(body, "event"), _object(body, "user")
    ids = [body.get("team_id"), user.get("team_id"), *(part.get(f) for part in (body, event) for f in _PERSON_FIELDS)]
    for id_ in ids:
        value = id_.get("id") if isinstance(id_, dict) else id_
        if value:
            yield str(value)


def _object(body: dict[str, Any], name: str) -> dict[str, Any]:
    value = body.get(name)
    return value if isinstance(value, dict) else {}
