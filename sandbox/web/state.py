"""What the page shows, in parts that change one by one."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from sandbox.providers.server import ProviderServer
from sandbox.slack.workspace import Message, SlackView
from sandbox.web.traffic import traffic_rows

if TYPE_CHECKING:
    from sandbox.sandbox import Sandbox

Part = Any
SENT_TEXTS = 20
"""The sent texts of a provider that the page shows, newest last."""


def parts(sandbox: "Sandbox", user: str) -> dict[str, Part]:
    """Return everything that a person sees in the workspace, and the providers beside it, by the part's name."""
    workspace = sandbox.slack.workspace
    channels = [each for each in workspace.channels.values() if user in each.members]
    return {
        "about": _about(sandbox),
        "channels": [asdict(channel.info) for channel in channels],
        **{f"messages/{channel.info.id}": _messages(sandbox, user, channel.info.id) for channel in channels},
        "modal": _view(workspace.top_modal(user)),
        "home": _view(sandbox.slack.home(user)),
        **{f"provider/{name}": _provider(sandbox, name, server) for name, server in sandbox.providers.items()},
        "slack": {
            "faults": [asdict(fault) for fault in sandbox.slack.faults if fault.times != 0],
            "oddities": workspace.oddities,
        },
        "bot": sandbox.bot.state() if sandbox.bot else None,
        "traffic": traffic_rows(sandbox),
    }


def _about(sandbox: "Sandbox") -> Part:
    workspace, features = sandbox.slack.workspace, sandbox.manifest.get("features", {})
    return {
        "team": workspace.seed.team_name,
        "domain": workspace.seed.team_domain,
        "bot": workspace.seed.bot_user_id,
        "people": [asdict(user) for user in workspace.users.values()],
        "groups": [asdict(group) for group in workspace.groups.values()],
        "channels": [
            {"id": each.info.id, "name": each.info.name} for each in workspace.channels.values() if not each.info.user
        ],
        "commands": features.get("slash_commands", []),
        "shortcuts": features.get("shortcuts", []),
        "providers": list(sandbox.providers),
        "methods": sorted(sandbox.slack.api.methods),
    }


def _messages(sandbox: "Sandbox", user: str, channel: str) -> list[Message]:
    whispers = [e.message for e in sandbox.slack.workspace.ephemerals if (e.user, e.channel) == (user, channel)]
    return sorted([*sandbox.slack.messages(channel), *whispers], key=lambda message: str(message["ts"]))


def _view(view: SlackView | None) -> Part:
    if view is None:
        return None
    typed = {f"{block}/{action}": state for (block, action), state in view.typed.items()}
    return {"view": view.body, "errors": view.errors, "typed": typed}


def _provider(sandbox: "Sandbox", name: str, server: ProviderServer) -> Part:
    world = server.world
    faults = [asdict(fault) for fault in server.faults if fault.times != 0 and fault.raw is None]
    return {
        "name": name,
        "url": sandbox.urls[name],
        "account": server.account_state,
        "latency": server.latency,
        "faults": [{key: value for key, value in fault.items() if key != "raw"} for fault in faults],
        "groups": [
            {
                "id": group.id,
                "subject": group.subject,
                "alias": sandbox.alias(name, group.id),
                "members": [{"phone": m.phone, "role": m.role} for m in group.members.values()],
                "awaiting": list(group.awaiting),
                "description": group.description,
                "announce_only": group.announce_only,
                "locked": group.locked,
                "ephemeral": group.ephemeral,
                "account_is_admin": group.account_is_admin,
            }
            for group in world.groups.values()
        ],
        "people": [{"phone": person.phone, "answer": person.disposition.value} for person in world.people.values()],
        "sent": [asdict(sent) for sent in world.sent[-SENT_TEXTS:]],
    }
