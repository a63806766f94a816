"""The calls to 2Chat by one connected number. Reads are retried; writes only if nothing was started."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import stamina

from providers.base import ProviderError, ProviderFault
from providers.http import HttpClient, Model, Query, Reply
from providers.responses import ErrorKind
from providers.twochat.errors import NO_GROUP, NOT_STARTED, PHONE_STATES, envelope_of, error_for, text_of

MAX_ATTEMPTS = 3
"""The attempts of a call while the number is busy, starts, connects or disconnects (page api-response-codes)."""

_PHONE_STATE_CODES = frozenset(str(int(status)) for status in PHONE_STATES)


def _never(_: Reply) -> bool:
    return False


class Api:
    """The 2Chat API, used by one number.

    Args:
        http: the client, with the API key in its headers.
        number: the connected phone, E.164 with plus; the sender of every write (`from_number`).
    """

    def __init__(self, http: HttpClient, number: str) -> None:
        self._http = http
        self.number = number

    async def read(
        self, path: str, model: type[Model], query: Query | None = None, *, not_found: ErrorKind = NO_GROUP
    ) -> Model:
        """Read `model`. Raises `ProviderError`, also for a 2xx that reports a failure."""
        reply = await _retry_phone_states(lambda: self._http.read("GET", path, params=query), not_found, wrote=False)
        if envelope_of(reply).success is False:
            raise ProviderFault("2Chat reports a failure.", code=str(reply.status), provider_text=text_of(reply))
        return reply.parse(model)

    async def write(
        self,
        path: str,
        body: dict[str, Any],
        *,
        not_found: ErrorKind = NO_GROUP,
        once: bool = False,
        accept_error: Callable[[Reply], bool] = _never,
    ) -> Reply:
        """Send a change by the connected number. Return its 2xx, whatever the body says.

        Args:
            path: the path.
            body: what to send besides `from_number`.
            not_found: the meaning of a 404.
            once: never send it again, not even in a passing state of the phone. For writes that a second call repeats.
            accept_error: whether to return a response with an error status too, for what its body says.
        """
        content = {"from_number": self.number, **body}
        return await _retry_phone_states(
            lambda: self._http.write("POST", path, body=content),
            not_found,
            1 if once else MAX_ATTEMPTS,
            wrote=True,
            accept_error=accept_error,
        )

    async def aclose(self) -> None:
        """Close the connections to 2Chat."""
        await self._http.aclose()


def group_path(group_id: str, action: str = "") -> str:
    """Return the path of a group, or of an action on it. The id is opaque: no prefix is expected."""
    return f"/open/whatsapp/group/{quote(group_id, safe='')}" + (f"/{action}" if action else "")


async def _retry_phone_states(
    send: Callable[[], Awaitable[Reply]],
    not_found: ErrorKind,
    attempts: int = MAX_ATTEMPTS,
    *,
    wrote: bool,
    accept_error: Callable[[Reply], bool] = _never,
) -> Reply:
    async for attempt in stamina.retry_context(on=_is_phone_state, attempts=attempts, wait_initial=2.0, wait_max=8.0):
        with attempt:
            reply = await send()
            if reply.ok or (reply.status not in NOT_STARTED and accept_error(reply)):
                return reply
            raise error_for(reply, not_found, wrote=wrote)
    raise AssertionError("stamina ends by a return or an error")


def _is_phone_state(error: Exception) -> bool:
    return isinstance(error, ProviderError) and error.code in _PHONE_STATE_CODES
