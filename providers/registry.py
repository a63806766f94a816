"""The one place where adapters are chosen by name."""

from collections.abc import Callable

from providers import twochat, wacr, wagateway, wasend, wuts
from providers.base import Provider

_MAKERS: dict[str, Callable[..., Provider]] = {
    "wacr": wacr.make,
    "wagateway": wagateway.make,
    "wasend": wasend.make,
    "wuts": wuts.make,
    "twochat": twochat.make,
}


def make_provider(name: str, *, base_url: str | None, token: str, account: str) -> Provider:
    """Make the adapter of one connection.

    Args:
        name: `wacr`, `wagateway`, `wasend`, `wuts` or `twochat`.
        base_url: where the provider listens; None for its own address.
        token: the credential.
        account: the session or the sender's phone; empty where the token tells.

    Raises:
        ValueError: the provider needs a `base_url` or an `account` that is not given.
    """
    return _MAKERS[name](base_url=base_url, token=token, account=account)
