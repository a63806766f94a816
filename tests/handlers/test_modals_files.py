"""Fetching an uploaded file, without showing the bot's token to another host."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from handlers.clients import files
from handlers.clients.files import FileUnavailable, fetch_file
from handlers.payloads import UploadedFile
from sandbox.http import serve
from sandbox.slack.files import add_file
from sandbox.slack.server import SlackServer


@pytest.fixture
async def elsewhere() -> AsyncIterator[tuple[str, list[str]]]:
    """Serve another host, which keeps the headers that it was sent."""
    heard: list[str] = []

    async def take(request: web.Request) -> web.Response:
        heard.append(request.headers.get("Authorization", ""))
        return web.Response(body=b"stolen")

    site = web.Application()
    site.router.add_get("/{tail:.*}", take)
    async with serve(site) as url:
        yield url, heard


async def test_a_file_is_fetched_by_its_id_alone(slack: SlackServer, client: AsyncWebClient) -> None:
    upload = add_file(slack.workspace, "U01ALICE", "people.csv", b"phone\n+14155550100")
    assert await fetch_file(client, UploadedFile(id=upload.id)) == ("people.csv", b"phone\n+14155550100")


async def test_no_other_host_is_shown_the_token(client: AsyncWebClient, elsewhere: tuple[str, list[str]]) -> None:
    url, heard = elsewhere
    file = UploadedFile(id="F1", name="x.csv", url_private_download=f"{url}/x.csv")
    with pytest.raises(FileUnavailable, match="isn't stored at Slack"):
        await fetch_file(client, file)
    assert heard == []


@pytest.mark.parametrize("redirects", [True, False])
async def test_no_redirect_and_no_login_page_is_taken_for_a_file(
    client: AsyncWebClient, elsewhere: tuple[str, list[str]], redirects: bool
) -> None:
    url, heard = elsewhere

    async def send(_: web.Request) -> web.Response:
        if redirects:
            return web.Response(status=302, headers={"Location": f"{url}/x.csv"})
        return web.Response(text="<html>Sign in</html>", content_type="text/html")

    site = web.Application()
    site.router.add_get("/x.csv", send)
    async with serve(site) as other:
        client.base_url = f"{other}/api/"
        with pytest.raises(FileUnavailable, match="files:read"):
            await fetch_file(client, UploadedFile(id="F1", name="x.csv", url_private_download=f"{other}/x.csv"))
    assert heard == []


@pytest.mark.parametrize("size", [0, 100])
async def test_no_more_is_read_than_a_file_may_have(
    slack: SlackServer, client: AsyncWebClient, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(files, "MAX_BYTES", 10)
    upload = add_file(slack.workspace, "U01ALICE", "people.csv", b"x" * 100)
    url = f"{slack.base_url}/files-pri/{upload.id}/download/people.csv"
    with pytest.raises(FileUnavailable, match="larger than"):
        await fetch_file(client, UploadedFile(id=upload.id, name="x", size=size, url_private_download=url))


async def test_a_missing_file_is_an_error(client: AsyncWebClient) -> None:
    with pytest.raises(FileUnavailable, match="file_not_found"):
        await fetch_file(client, UploadedFile(id="F0GONE"))
    client.base_url = "http://127.0.0.1:9/api/"
    unreachable = UploadedFile(id="F1", name="x", url_private_download="http://127.0.0.1:9/x")
    with pytest.raises(FileUnavailable, match="Try again"):
        await fetch_file(client, unreachable)
