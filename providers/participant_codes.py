"""What WhatsApp's own codes mean for one participant, wherever a provider passes them on.

There is no official list: the meanings are those that the main WhatsApp libraries agree on (Baileys #263 and WAHA #389
for 403). They are a participant's codes: the same number as an HTTP status or for a whole request means other things.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from providers.base import Outcome, RateLimited, Verdict

PARTICIPANT_CODES: Mapping[str, Outcome] = MappingProxyType(
    {
        "401": Outcome.FAILED,  # the account is no admin, or the person blocked it: nobody can tell which
        "403": Outcome.REFUSED,
        "404": Outcome.NOT_ON_WHATSAPP,
        "408": Outcome.RECENTLY_LEFT,
        "409": Outcome.ALREADY_DONE,
        "417": Outcome.REFUSED,  # cannot join the community directly
        "419": Outcome.GROUP_FULL,
        "421": Outcome.PENDING,
        "429": Outcome.RATE_LIMITED,
    }
)
"""By the code as text. 200 (added) is left out: whether it proves anything, each adapter has to say."""


def rate_limit_of(verdicts: Iterable[Verdict]) -> RateLimited | None:
    """Give what stops the sender where WhatsApp rate-limited a participant: it holds for everybody."""
    limited = next((verdict for verdict in verdicts if verdict.outcome is Outcome.RATE_LIMITED), None)
    if limited is None:
        return None
    message = "WhatsApp refuses changes by this account for now."
    return RateLimited(message, code=limited.provider_code, provider_text=limited.provider_message)
