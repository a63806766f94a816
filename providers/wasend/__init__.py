"""The adapter for Wasend; `contracts/wasend.openapi.yaml` is its contract."""

from providers.wasend.adapter import BASE_URL, Wasend, make

__all__ = ["BASE_URL", "Wasend", "make"]
