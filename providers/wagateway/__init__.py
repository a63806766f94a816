"""The adapter for WhatsApp Gateway; `contracts/wagateway.openapi.yaml` is its contract."""

from providers.wagateway.adapter import WaGateway, make

__all__ = ["WaGateway", "make"]
