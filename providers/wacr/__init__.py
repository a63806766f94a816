"""The adapter for WA.cr; `contracts/wacr.openapi.yaml` is its contract."""

from providers.wacr.adapter import BASE_URL, Wacr, make

__all__ = ["BASE_URL", "Wacr", "make"]
