"""The adapter for 2Chat; `contracts/twochat.openapi.yaml` is its contract."""

from providers.twochat.adapter import BASE_URL, TwoChat, make

__all__ = ["BASE_URL", "TwoChat", "make"]
