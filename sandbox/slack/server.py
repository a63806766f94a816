"""A simulated Slack over real HTTP and WebSocket: what people do in it reaches the app as Slack would send it."""

import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from sandbox.http import serve
from sandbox.slack import chat, conversations, files, forms, payloads, views
from sandbox.slack.acks import apply_ack
from sandbox.slack.app import slack_app
from sandbox.slack.delivery import Ack, Deliverer, Delivery, Kind
from sandbox.slack.files import file_object
from sandbox.slack.filling import NamedFile, action, enter, fill, find_or_add
from sandbox.slack.socket_mode import SocketMode
from sandbox.slack.views import close_modal
from sandbox.slack.web_api import BOT_SCOPES, RateLimits, Token, WebApi
from sandbox.slack.workspace import DEFAULT_SEED, Message, Seed, SlackView, Upload, Workspace


class SlackServer:
    """A simulated Slack workspace with one app installed, over real HTTP and WebSocket, as strict as Slack.

    The methods are what people do in Slack's client. Deliveries go by Socket Mode while a connection is open, else by
    signed HTTP to `request_url`.

    Args:
        signing_secret: signs HTTP deliveries.
        bot_token: the app's bot token.
        app_token: the app-level token for Socket Mode.
        scopes: the bot token's scopes.
        request_url: where HTTP deliveries go; may be set later.
        seed: the workspace at the start.
        clock: returns the current time in seconds.
        ack_limit: seconds that the app has to acknowledge.

    Attributes:
        base_url: where the simulated Slack is served, without a trailing slash; `response_url`s begin with it.
        workspace: the workspace.
        deliverer: delivers to the app.
        api: the Web API.
        sockets: the Socket Mode connections; `await sockets.refresh()`, `sockets.drop()`.
        faults: the failures to inject; add to it.
        calls: the log of every Web API call, `response_url` reply and upload.
        deliveries: the log of every delivery to the app.
        oddities: texts that Slack would show wrongly, though it does not refuse them.
    """

    def __init__(
        self,
        *,
        signing_secret: str = "sandbox-signing-secret",  # noqa: S107
        bot_token: str = "xoxb-sandbox",  # noqa: S107
        app_token: str = "xapp-sandbox",  # noqa: S107
        scopes: Iterable[str] = BOT_SCOPES.split(","),
        request_url: str = "",
        seed: Seed = DEFAULT_SEED,
        clock: Callable[[], float] = time.time,
        ack_limit: float = 3.0,
    ) -> None:
        self.base_url = ""
        self.signing_secret = signing_secret
        self.bot_token = bot_token
        self.app_token = app_token
        workspace = Workspace(seed, clock=clock)
        self.sockets = SocketMode(workspace)
        self.workspace = workspace
        self.deliverer = Deliverer(workspace, self.sockets, signing_secret, ack_limit)
        self.deliverer.request_url = request_url
        tokens = {
            bot_token: Token("bot", frozenset(scopes)),
            app_token: Token("app", frozenset({"connections:write"})),
        }
        methods = chat.METHODS | conversations.METHODS | views.METHODS | files.METHODS | self.sockets.methods
        self.api = WebApi(workspace, tokens, methods, RateLimits(clock))
        self.faults = self.api.faults
        self.calls = self.api.log
        self.deliveries = self.deliverer.log
        self.oddities = workspace.oddities
        self.wait_for = workspace.wait_for

    @property
    def api_url(self) -> str:
        """The Web API's base, for `slack.api_url` of the bot's configuration."""
        return f"{self.base_url}/api/"

    @asynccontextmanager
    async def serving(self, *, port: int = 0, routes: Iterable[web.AbstractRouteDef] = ()) -> AsyncIterator[str]:
        """Serve it on 127.0.0.1, with further routes, and yield its base URL; `port` 0 takes a free one."""
        async with serve(slack_app(self, routes), port=port) as base_url:
            self.base_url = base_url
            yield base_url

    async def command(self, user: str, channel: str, name: str, text: str = "") -> Ack:
        """Type a slash command."""
        url = self._response_url(user, channel)
        return await self._send(
            "slash_commands", payloads.command(self.workspace, user, channel, name, text, response_url=url)
        )

    async def click(
        self,
        user: str,
        channel: str,
        message_ts: str,
        name: str,
        *,
        value: Any = None,
        even_if_hidden: bool = False,
    ) -> Ack:
        """Click a button of a message, or choose `value` in a menu; found by its label or action id.

        `even_if_hidden` also sends the click of a person from whom `visible_to_user_ids` hides the button.

        Raises:
            LookupError: there is no such message or element, or this person does not see it.
        """
        target = self.workspace.channels[channel]
        message = self.workspace.find_message(channel, message_ts)
        if message is None:
            raise LookupError(f"no message {message_ts} in {channel}")
        block, element = forms.find(message.get("blocks", []), name)
        seen_by = element.get("visible_to_user_ids")
        if seen_by and user not in seen_by and not even_if_hidden:
            raise LookupError(f"{user} does not see {name!r}")
        state = {} if element["type"] == "button" else forms.entered(element, value, forms.offered(element))
        done = action(self.workspace, block, element, state)
        url = self._response_url(user, channel, message_ts)
        payload = payloads.message_action(self.workspace, user, target, message, done, response_url=url)
        return await self._send("interactive", payload)

    async def press(
        self, user: str, view_id: str, name: str, *, value: Any = None, values: dict[str, Any] | None = None
    ) -> Ack:
        """Click a button, or choose `value` in a menu, of a modal or of the Home tab.

        `values` is what they have put into the other elements so far, as for `submit`.

        Raises:
            LookupError: this person sees no such view, or it has no such element.
        """
        view = self._seen(user, view_id)
        await fill(self, view, values or {})
        block, element = forms.find(view.body["blocks"], name)
        state = {} if element["type"] == "button" else await enter(self, view, block, element, value)
        if state and element["type"] != "overflow":
            view.typed[block["block_id"], element["action_id"]] = state
        done = action(self.workspace, block, element, state)
        return await self._send("interactive", payloads.view_action(self.workspace, view, forms.values(view), done))

    async def submit(self, user: str, view_id: str, values: dict[str, Any] | None = None) -> Ack:
        """Fill in a modal and submit it.

        Args:
            user: who.
            view_id: the modal, which must be the one they see.
            values: what they put in, by block id or label. Select menus take an option's label or value (an external
                one is asked for its options first), `file_input` a list of `(name, content)` or of uploads' ids.

        Raises:
            LookupError: they do not see this modal, or it has no such field.
            FormRefused: Slack's client would not send it.
        """
        view = self._seen(user, view_id)
        await fill(self, view, values or {})
        forms.check_complete(view, state := forms.values(view))
        return await self._send("interactive", payloads.view_submission(self.workspace, view, state))

    async def suggest(
        self, user: str, view_id: str, name: str, text: str, *, values: dict[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Type into an external select of a view, and return the options it then offers; `values` as for `press`.

        Nothing is offered when the app's answer is one that Slack does not show; the log's acknowledgement says why.
        """
        view = self._seen(user, view_id)
        await fill(self, view, values or {})
        block, element = forms.find(view.body["blocks"], name)
        if len(text) < element.get("min_query_length", 3):
            return []
        ids = (block["block_id"], element["action_id"])
        question = payloads.block_suggestion(self.workspace, view, forms.values(view), *ids, text=text)
        ack = await self._send("interactive", question)
        view.offered[ids] = forms.offered(ack.body) if ack.ok else []
        return list(view.offered[ids])

    async def close_view(self, user: str, view_id: str) -> Ack | None:
        """Close a modal with its close button; the app receives it only if the view has `notify_on_close`."""
        view = self._seen(user, view_id)
        cleared = bool(view.body["clear_on_close"])
        payload = payloads.view_closed(self.workspace, view, forms.values(view), cleared=cleared)
        close_modal(self.workspace, user, whole_stack=cleared)
        return await self._send("interactive", payload) if view.body["notify_on_close"] else None

    async def shortcut(self, user: str, callback_id: str, channel: str = "", message_ts: str = "") -> Ack:
        """Use a global shortcut, or one on a message when a message is named."""
        if not message_ts:
            return await self._send("interactive", payloads.shortcut(self.workspace, user, callback_id))
        target = self.workspace.channels[channel]
        url = self._response_url(user, channel, message_ts)
        return await self._send(
            "interactive",
            payloads.message_shortcut(
                self.workspace, user, target, target.messages[message_ts], callback_id, response_url=url
            ),
        )

    async def event(self, inner: dict[str, Any]) -> Ack:
        """Deliver any event of the Events API."""
        return await self._send("events_api", payloads.event(self.workspace, inner))

    async def say(
        self, user: str, channel: str, text: str, thread_ts: str = "", *, files: Sequence[NamedFile] = ()
    ) -> Message:
        """Write a message, with files given by name and content or by the ids of uploads.

        The app receives `message` in its direct messages, and `app_mention` if it is mentioned elsewhere.
        """
        thread = {"thread_ts": thread_ts} if thread_ts else {}
        uploads = [find_or_add(self.workspace, user, each) for each in files]
        shared = {"files": [file_object(upload, self.base_url) for upload in uploads]} if uploads else {}
        message = self.workspace.post(channel, {"user": user, "text": text, **thread, **shared})
        received = {name: message[name] for name in ("user", "text", "ts", "team")} | thread | shared
        received |= {"channel": channel, "event_ts": message["ts"]}
        if self.workspace.channels[channel].info.kind == "im":
            subtype = {"subtype": "file_share"} if uploads else {}
            await self.event({"type": "message", **received, **subtype, "channel_type": "im"})
        elif f"<@{self.workspace.seed.bot_user_id}>" in text:
            await self.event({"type": "app_mention", **received})
        return message

    async def open_home(self, user: str) -> Ack:
        """Open the app's Home tab."""
        home = self.home(user)
        inner = {
            "type": "app_home_opened",
            "user": user,
            "channel": self.workspace.im(user).info.id,
            "tab": "home",
            "event_ts": self.workspace.new_ts(),
        }
        return await self.event({**inner, "view": home.body} if home else inner)

    async def verify_url(self) -> Ack:
        """Check the request URL as Slack does, with a challenge that the app has to repeat."""
        challenge = self.workspace.new_id("challenge-")
        payload = {"token": payloads.VERIFICATION, "challenge": challenge, "type": "url_verification"}
        return await self._send("events_api", payload)

    async def redeliver(self, delivery: Delivery | Ack | str, reason: str = "http_timeout") -> Ack:
        """Deliver the same payload once more, as Slack does when it thinks the first attempt failed."""
        if not isinstance(delivery, Delivery):
            delivery = self.deliverer.find(delivery if isinstance(delivery, str) else delivery.delivery)
        repeated = await self.deliverer.deliver(
            delivery.kind, delivery.payload, retry_num=delivery.retry_num + 1, retry_reason=reason
        )
        return apply_ack(self.workspace, repeated)

    def open_view(self, user: str) -> SlackView | None:
        """Return the modal that a person sees, None when they see none."""
        return self.workspace.top_modal(user)

    def home(self, user: str) -> SlackView | None:
        """Return a person's Home tab, None when nothing was published for them."""
        view_id = self.workspace.homes.get(user)
        return self.workspace.views[view_id] if view_id else None

    def messages(self, channel: str) -> list[Message]:
        """Return all messages of a channel, replies too, oldest first."""
        return list(self.workspace.channels[channel].messages.values())

    def thread(self, channel: str, ts: str) -> list[Message]:
        """Return a thread: its parent first, then the replies, oldest first."""
        return self.workspace.thread(channel, ts)

    def ephemerals(self, user: str) -> list[Message]:
        """Return the ephemeral messages of this person, oldest first."""
        return [ephemeral.message for ephemeral in self.workspace.ephemerals if ephemeral.user == user]

    @property
    def files(self) -> list[Upload]:
        """The uploaded files, oldest first."""
        return [upload for upload in self.workspace.files.values() if upload.completed]

    async def _send(self, kind: Kind, payload: dict[str, Any]) -> Ack:
        return apply_ack(self.workspace, await self.deliverer.deliver(kind, payload))

    def _response_url(self, user: str, channel: str, message_ts: str | None = None) -> str:
        return f"{self.base_url}/hooks/{self.workspace.new_response_url(user, channel, message_ts)}"

    def _seen(self, user: str, view_id: str) -> SlackView:
        modal = self.workspace.top_modal(user)
        if modal is not None and modal.body["id"] == view_id:
            return modal
        if self.workspace.homes.get(user) == view_id:
            return self.workspace.views[view_id]
        raise LookupError(f"{user} does not see view {view_id}")
