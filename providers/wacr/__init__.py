"""The adapter for WA.cr; `contracts/wacr.openapi.yaml` is its contract."""

from providers.wacr.adapter import DEFAULT_URL, Wacr, make

__all__ = ["DEFAULT_URL", "Wacr", "make"]
