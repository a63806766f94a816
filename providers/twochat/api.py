"""Calls to 2Chat by one connected number: reads are repeated, writes only where nothing was begun."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import stamina
from pydantic import BaseModel

from providers.base import OutcomeUnknown, ProviderError, ProviderFault
from providers.http import HttpClient, Query, Reply
from providers.twochat.errors import NO_GROUP, NOT_BEGUN, PASSING, Meaning, envelope_of, error_of, silence, words_of

PASSING_ATTEMPTS = 3
"""How often a call is sent while the number is busy, starts, connects or disconnects (page api-response-codes)."""

_PASSING_CODES = frozenset(str(int(status)) for status in PASSING)

_Model = TypeVar("_Model", bound=BaseModel)

Tells = Callable[[Reply], bool]


def _nothing(_: Reply) -> bool:
    return False


class Api:
    """2Chat, as one number uses it.

    Args:
        http: the client, with the API key in its headers.
        number: the connected phone, E.164 with plus; it acts in every write (`from_number`).
    """

    def __init__(self, http: HttpClient, number: str) -> None:
        self._http = http
        self.number = number

    async def read(
        self, path: str, model: type[_Model], query: Query | None = None, *, missing: Meaning = NO_GROUP
    ) -> _Model:
        """Read something. Raises `ProviderError`, also for a 2xx that reports a failure."""
        reply = await _while_passing(lambda: self._http.read("GET", path, params=query), missing, wrote=False)
        if envelope_of(reply).success is False:
            raise ProviderFault("2Chat reports a failure.", code=str(reply.status), provider_text=words_of(reply))
        return reply.parse(model)

    async def write(
        self,
        path: str,
        body: dict[str, Any],
        *,
        missing: Meaning = NO_GROUP,
        once: bool = False,
        tells: Tells = _nothing,
    ) -> Reply:
        """Send a change by the connected number, and give its 2xx, whatever that says.

        Args:
            path: where to.
            body: what to send besides `from_number`.
            missing: what a 404 is about.
            once: not again in a passing state either: what is sent twice by a misreading of its status is done twice.
            tells: whether an answer with an error status is given too, for what it tells besides.
        """
        said = {"from_number": self.number, **body}
        attempts = 1 if once else PASSING_ATTEMPTS
        return await _while_passing(
            lambda: self._http.write("POST", path, body=said), missing, attempts, wrote=True, tells=tells
        )

    async def aclose(self) -> None:
        """Close the connections to 2Chat."""
        await self._http.aclose()


def group_path(group_id: str, action: str = "") -> str:
    """Give the path of a group, or of what is done to it. The id is opaque: no prefix is expected."""
    return f"/open/whatsapp/group/{quote(group_id, safe='')}" + (f"/{action}" if action else "")


def not_of_one(error: ProviderError) -> ProviderError:
    """Read the error of a change that is not about one person alone.

    Which status comes where some people fail is not documented: a 422 may be of one of them, after others.
    """
    if error.code != str(int(httpx.codes.UNPROCESSABLE_ENTITY)):
        return error
    return OutcomeUnknown(
        "2Chat refused it, perhaps for some of them alone.", code=error.code, provider_text=error.provider_text
    )


def told(reply: Reply, model: type[_Model]) -> _Model:
    """Read the 2xx to a write. Raises `OutcomeUnknown` for one of another shape."""
    try:
        return reply.parse(model)
    except ProviderFault as error:
        raise OutcomeUnknown(error.message, code=error.code, provider_text=words_of(reply)) from error


def confirmed(reply: Reply) -> None:
    """Hold a 2xx to a write to what it says. Raises `OutcomeUnknown`, or what it reports, where that is no success."""
    if envelope_of(reply).success is not True:
        raise silence(reply)


async def _while_passing(
    send: Callable[[], Awaitable[Reply]],
    missing: Meaning,
    attempts: int = PASSING_ATTEMPTS,
    *,
    wrote: bool,
    tells: Tells = _nothing,
) -> Reply:
    async for attempt in stamina.retry_context(on=_passes, attempts=attempts, wait_initial=2.0, wait_max=8.0):
        with attempt:
            reply = await send()
            if reply.ok or (reply.status not in NOT_BEGUN and tells(reply)):
                return reply
            raise error_of(reply, missing, wrote=wrote)
    raise AssertionError("stamina ends by a return or an error")


def _passes(error: Exception) -> bool:
    return isinstance(error, ProviderError) and error.code in _PASSING_CODES
