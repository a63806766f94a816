from pathlib import Path

import pytest

from tests.bot.configuration import changed, read, refusal


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# Errors in the file: each change to it, and the whole message


FILE_ERRORS = {
    "unknown key": (
        'account = "session-1"',
        'acount = "session-1"',
        "connections.support.acount isn't a key of this section; did you mean 'account'?",
    ),
    "unknown key without a neighbour": (
        'pace = { batch = 5, gap = "5s", per_day = 500 }',
        "pace = { zzz = 1 }",
        "connections.us-west.pace.zzz isn't a key of this section; known: batch, gap, jitter, per_day",
    ),
    "unknown section": (
        "[groups.launch-team]",
        "[grops.launch-team]",
        "grops isn't a section; did you mean 'groups'?",
    ),
    "unknown section of connections": (
        "[connections.us-west]",
        "[conections.us-west]",
        "conections isn't a section; did you mean 'connections'? (and 1 more; `rollcall check` lists them)",
    ),
    "group without connection": (
        'connection = "support"',
        'connection = "suport"',
        "groups.launch-team.connection names 'suport', which isn't a connection; did you mean 'support'?",
    ),
    "group key missing": (
        'id = "120363041234567890@g.us"',
        "",
        "groups.launch-team.id is missing; it takes the group's id at its provider",
    ),
    "role without members": (
        'members = ["U02BOB"]',
        "members = []",
        "roles.lead.members is empty; it takes ids of Slack users (U…, W…) and user groups (S…)",
    ),
    "members missing": (
        'members = ["U02BOB"]',
        "",
        "roles.lead.members is missing; it takes ids of Slack users (U…, W…) and user groups (S…)",
    ),
    "members no list": (
        'members = ["U02BOB"]',
        'members = "U02BOB"',
        'roles.lead.members must be a list, such as ["a", "b"]',
    ),
    "kept person no number": (
        'id = "120363041234567890@g.us"',
        'id = "120363041234567890@g.us"\nkeep = ["555 01"]',
        (
            "groups.launch-team.keep[0] isn't a phone number; write it with + and the country code, such as"
            ' "+1 415 555 0100"'
        ),
    ),
    "member no id": (
        '"U02BOB"',
        '"@bob"',
        "roles.lead.members[0] is '@bob', which isn't a Slack id; copy the user's (U… or W…) or the user group's (S…)",
    ),
    "unknown capability": (
        '"groups:read"',
        '"group:read"',
        "roles.operator.capabilities[0] is 'group:read', which isn't a known capability; did you mean 'groups:read'?",
    ),
    "unknown operation": (
        '"remove"',
        '"delete"',
        (
            "approvals[0].operations[1] is 'delete', which isn't a known operation to approve;"
            " known: add, create, demote, invite, promote, remove, send, settings, sync"
        ),
    ),
    "approval of reading": (
        '["add", "remove"]',
        '["list"]',
        (
            "approvals[0].operations[0] is 'list', which isn't a known operation to approve;"
            " known: add, create, demote, invite, promote, remove, send, settings, sync"
        ),
    ),
    "approvers no role": (
        'approvers = ["lead"]',
        'approvers = ["leads"]',
        "approvals[0].approvers[0] names 'leads', which isn't a role; did you mean 'lead'?",
    ),
    "approvers may not approve": (
        'approvers = ["lead"]',
        'approvers = ["lead", "operator"]',
        (
            "approvals[0].approvers[1] names the role 'operator', which can't approve;"
            ' add "approve" to roles.operator.capabilities'
        ),
    ),
    "quorum too large": (
        "min_participants = 20",
        "quorum = 2",
        "approvals[0].quorum is 2, but only 1 can approve; lower it, or add members to the role",
    ),
    "expires before the reminder": (
        'remind_after = "30m"',
        'remind_after = "90m"',
        "approvals[0].remind_after isn't before expires_after; lower it, or raise expires_after",
    ),
    "expires at once": (
        'expires_after = "1h30m"',
        "expires_after = 0",
        'approvals[0].expires_after is 0; write how long, such as "1h"',
    ),
    "one rule with single brackets": (
        "[[approvals]]",
        "[approvals]",
        "approvals must be a list; head each rule with [[approvals]]",
    ),
    "two aliases for one group": (
        "[roles.operator]",
        '[groups.launch]\nconnection = "support"\nid = "120363041234567890@g.us"\n[roles.operator]',
        "groups.launch is the same group as groups.launch-team; keep one of the two",
    ),
    "alias with spaces": (
        "[groups.launch-team]",
        '[groups."launch team"]',
        'groups."launch team" isn\'t a valid name; use letters, digits, dots, dashes and single underscores, no spaces',
    ),
    "bad duration": (
        '"5s"',
        '"5 parsecs"',
        (
            "connections.us-west.pace.gap is '5 parsecs', which isn't a duration;"
            ' write it like "5s", "90m", "1h30m", "24h" or "7d"'
        ),
    ),
    "batch of nobody": ("batch = 5", "batch = 0", "connections.us-west.pace.batch must be at least 1"),
    "batch in words": ("batch = 5", 'batch = "five"', "connections.us-west.pace.batch must be a whole number"),
    "jitter too large": ("batch = 5", "jitter = 1.5", "connections.us-west.pace.jitter must be at most 1.0"),
    "jitter below nothing": ("batch = 5", "jitter = -0.1", "connections.us-west.pace.jitter must be at least 0.0"),
    "nobody per day": ("per_day = 500", "per_day = 0", "connections.us-west.pace.per_day must be at least 1"),
    "token in the file": (
        'account = "session-1"',
        'account = "session-1"\ntoken = "hush"',
        (
            "connections.support.token must not be in the file;"
            " set ROLLCALL_CONNECTIONS__SUPPORT__TOKEN, or token_file to a file that contains it"
        ),
    ),
    "bot token in the file": (
        "[connections.support]",
        '[slack]\nbot_token = "hush"\n[connections.support]',
        "slack.bot_token must not be in the file; set SLACK_BOT_TOKEN, or bot_token_file to a file that contains it",
    ),
    "Slack token under another key": (
        '"session-1"',
        '"xapp-1-hush"',
        (
            "connections.support.account contains a Slack token, which must not be in the file;"
            " use SLACK_BOT_TOKEN or SLACK_APP_TOKEN"
        ),
    ),
    "Slack token in a list": (
        '"U02BOB"',
        '"xoxb-hush"',
        (
            "roles.lead.members[0] contains a Slack token, which must not be in the file;"
            " use SLACK_BOT_TOKEN or SLACK_APP_TOKEN"
        ),
    ),
    "database password in the file": (
        "[connections.support]",
        '[storage]\nurl = "postgresql://rollcall:hush@db/rollcall"\n[connections.support]',
        "storage.url contains a password, which must not be in the file; set ROLLCALL_STORAGE__URL, or PGPASSWORD",
    ),
    "unknown provider": (
        '"wasend"',
        '"wassend"',
        "connections.support.provider is 'wassend', which isn't a known provider; did you mean 'wasend'?",
    ),
    "base_url no web address": (
        'account = "session-1"',
        'base_url = "gateway.example"',
        'connections.support.base_url isn\'t a web address; it begins with "https://" (or "http://") and a host',
    ),
    "base_url with a password": (
        'account = "session-1"',
        'base_url = "https://me:hush@gateway.example"',
        "connections.support.base_url contains more than an address; leave out user, password, ? and #",
    ),
    "base_url missing": (
        'provider = "wasend"',
        'provider = "wagateway"',
        "connections.support.base_url is missing; wagateway has no default address, so set the address of yours",
    ),
    "account missing": (
        'account = "session-1"',
        "",
        "connections.support.account is missing; wasend needs the session id",
    ),
    "region no country": (
        'account = "session-1"',
        'default_region = "Britain"',
        (
            "connections.support.default_region is 'Britain', which isn't an ISO 3166 country;"
            ' write two letters, such as "GB", "US" or "BR"'
        ),
    ),
    "region UK": (
        'account = "session-1"',
        'default_region = "UK"',
        "connections.support.default_region is 'UK', which isn't an ISO 3166 country; did you mean 'GB'?",
    ),
    "channel by name": (
        "[connections.support]",
        '[slack]\napprovals_channel = "#approvals"\n[connections.support]',
        (
            "slack.approvals_channel is '#approvals', which isn't a channel id;"
            " copy it (C… or G…) from the channel's details"
        ),
    ),
    "section no section": (
        "[connections.support]",
        "server = 3000\n[connections.support]",
        "server must be a section with keys of its own",
    ),
    "port out of range": (
        "[connections.support]",
        "[server]\nport = 65536\n[connections.support]",
        "server.port must be at most 65535",
    ),
}


@pytest.mark.parametrize("case", FILE_ERRORS)
def test_an_error_in_the_file_is_one_line(case: str) -> None:
    old, new, expected = FILE_ERRORS[case]

    assert refusal(changed(old, new)) == f"rollcall.toml: {expected}"


@pytest.mark.parametrize(
    "url",
    [
        "mysql://db/rollcall",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "rollcall.db",
        "postgresql+psycopg://db/x",
    ],
)
def test_an_unsupported_database_is_rejected(url: str) -> None:
    assert refusal(ROLLCALL_STORAGE__URL=url).startswith("ROLLCALL_STORAGE__URL: storage.url isn't a database")


@pytest.mark.parametrize("provider", ["wasend", "wagateway", "twochat"])
def test_a_provider_with_the_account_in_its_paths_requires_it(provider: str) -> None:
    text = changed('provider = "wacr"', f'provider = "{provider}"\nbase_url = "https://gateway.example"')

    assert "connections.us-west.account is missing" in refusal(text)


@pytest.mark.parametrize("provider", ["wacr", "wuts"])
def test_a_provider_whose_token_implies_the_account_needs_no_account(provider: str) -> None:
    assert read(changed('provider = "wacr"', f'provider = "{provider}"')).connections["us-west"].account is None


def test_a_quorum_is_not_limited_if_a_user_group_may_approve() -> None:
    text = changed('"U02BOB"', '"U02BOB", "S0LEADS"').replace("min_participants = 20", "quorum = 5")

    assert read(text).approvals[0].quorum == 5


def test_a_region_may_be_lower_case() -> None:
    text = changed('account = "session-1"', 'account = "session-1"\ndefault_region = "br"')

    assert read(text).connections["support"].default_region == "BR"


def test_the_base_of_slacks_api_ends_with_a_slash() -> None:
    settings = read(ROLLCALL_SLACK__API_URL="http://127.0.0.1:8484/api")

    assert settings.slack.api_url == "http://127.0.0.1:8484/api/"


def test_errors_are_counted_and_unknown_keys_come_first() -> None:
    text = changed('provider = "wasend"', 'provder = "wasend"').replace('"5s"', '"soon"')

    message = refusal(text)

    assert message == (
        "rollcall.toml: connections.support.provder isn't a key of this section; did you mean 'provider'?"
        " (and 2 more; `rollcall check` lists them)"
    )
