"""How Slack says no: an error code, the messages that explain it, and what else the answer carries."""

from typing import Any


class SlackError(Exception):
    """A Web API call that Slack answers with `ok: false`.

    Args:
        error: Slack's error code.
        messages: lines for `response_metadata.messages`, without the `[ERROR]` mark.
        extra: further fields of the answer, for example `needed` and `provided`.
        status: the HTTP status.
        headers: the answer's extra headers.
    """

    def __init__(
        self,
        error: str,
        messages: list[str] | None = None,
        *,
        status: int = 200,
        headers: dict[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(error)
        self.error = error
        self.messages = messages or []
        self.extra = extra
        self.status = status
        self.headers = headers or {}

    def answer(self) -> dict[str, Any]:
        """Give the JSON answer. `errors` repeats the messages unmarked, as Slack does (java-slack-sdk #1017)."""
        answer: dict[str, Any] = {"ok": False, "error": self.error, **self.extra}
        if self.messages:
            answer["errors"] = self.messages
            answer["response_metadata"] = {"messages": [f"[ERROR] {message}" for message in self.messages]}
        return answer
