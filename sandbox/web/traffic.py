"""The traffic between Slack, Rollcall and the providers: a row for each call, and its bodies."""

import json
from typing import TYPE_CHECKING, Any

from sandbox.providers.server import RecordedCall
from sandbox.slack.delivery import Delivery
from sandbox.slack.web_api import ApiCall

if TYPE_CHECKING:
    from sandbox.sandbox import Sandbox

MAX_ROWS = 200
"""The newest calls that the page lists."""
Row = dict[str, Any]


def traffic_rows(sandbox: "Sandbox") -> list[Row]:
    """Return a row for each of the newest calls, oldest first."""
    rows = [_delivered(index, call) for index, call in _newest(sandbox.slack.deliveries)]
    rows += [_called(index, call) for index, call in _newest(sandbox.slack.calls)]
    for name, server in sandbox.providers.items():
        rows += [_requested(name, index, call) for index, call in _newest(server.calls)]
    return sorted(rows, key=lambda row: float(row["at"]))[-MAX_ROWS:]


def bodies(sandbox: "Sandbox", source: str, index: int) -> dict[str, Any]:
    """Return the request and the response of a row.

    Raises:
        LookupError: there is no such call.
    """
    if source == "deliveries":
        delivery = sandbox.slack.deliveries[index]
        ack = delivery.ack
        response = None if ack is None else {"status": ack.status, "body": ack.body, "error": ack.error}
        return {"request": delivery.payload, "response": response}
    if source == "slack":
        call = sandbox.slack.calls[index]
        return {"request": call.args, "response": call.response}
    sent = sandbox.providers[source].calls[index]
    request = {"query": sent.query, "body": sent.body} if sent.query else sent.body
    return {"request": request, "response": _parsed(sent.response)}


def _newest(log: list[Any]) -> list[tuple[int, Any]]:
    first = max(0, len(log) - MAX_ROWS)
    return list(enumerate(log[first:], start=first))


def _delivered(index: int, delivery: Delivery) -> Row:
    ack = delivery.ack
    status = "…" if ack is None else ack.error or str(ack.status)
    ms = None if ack is None else round(ack.elapsed * 1000)
    row = _row("deliveries", index, delivery.at, ("Slack", "Rollcall"), _what(delivery.payload))
    return {**row, "status": status, "ok": ack is None or ack.ok, "ms": ms, "via": delivery.transport}


def _called(index: int, call: ApiCall) -> Row:
    answer = call.response if isinstance(call.response, dict) else {}
    status = str(answer.get("error") or call.status or "no answer")
    row = _row("slack", index, call.at, ("Rollcall", "Slack"), call.method)
    return {**row, "status": status, "ok": status == "200"}


def _requested(name: str, index: int, call: RecordedCall) -> Row:
    row = _row(name, index, call.at, ("Rollcall", name), f"{call.method} {call.path}")
    return {**row, "status": str(call.status or "no answer"), "ok": 200 <= call.status < 300}  # noqa: PLR2004 - HTTP's own


def _row(source: str, index: int, at: float, ends: tuple[str, str], what: str) -> Row:
    return {"id": f"{source}/{index}", "at": at, "from": ends[0], "to": ends[1], "what": what}


def _what(payload: dict[str, Any]) -> str:
    """Return what a person did, in a few words."""
    if "command" in payload:
        return f"{payload['command']} {payload['text']}".strip()
    if payload["type"] == "event_callback":
        return f"event {payload['event']['type']}"
    actions = payload.get("actions") or [{}]
    label = actions[0].get("text") or {}
    title = (payload.get("view") or {}).get("title") or {}
    ids = (actions[0].get("action_id"), payload.get("callback_id"), payload.get("action_id"), title.get("text"))
    name = label.get("text") or next((each for each in ids if each), "")
    return f"{payload['type']} {name}".strip()


def _parsed(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text
