"""The ids by which the bot finds its own forms again, to put another in the place of one."""

import secrets


def new_external_id() -> str:
    """Make the external id of a form that is about to be shown."""
    return f"rollcall-{secrets.token_hex(12)}"
