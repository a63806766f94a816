"""The registry of adapters: the only place that knows them by name."""

from collections.abc import Callable

from providers import twochat, wacr, wagateway, wasend, wuts
from providers.base import Provider

_FACTORIES: dict[str, Callable[..., Provider]] = {
    "wacr": wacr.make,
    "wagateway": wagateway.make,
    "wasend": wasend.make,
    "wuts": wuts.make,
    "twochat": twochat.make,
}


def make_provider(name: str, *, base_url: str | None, token: str, account: str) -> Provider:
    """Build the adapter of one connection.

    Args:
        name: `wacr`, `wagateway`, `wasend`, `wuts` or `twochat`.
        base_url: the provider's address; None for its own.
        token: the credential.
        account: the session or the sender's phone; empty if the token identifies it.

    Raises:
        ValueError: the provider needs a `base_url` or an `account` that is missing.
    """
    return _FACTORIES[name](base_url=base_url, token=token, account=account)
