"""The adapter for WUTS; `contracts/wuts.openapi.yaml` is its contract."""

from providers.wuts.adapter import BASE_URL, Wuts, make

__all__ = ["BASE_URL", "Wuts", "make"]
