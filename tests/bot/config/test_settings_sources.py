import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from bot.config import ConfigurationError, load
from tests.bot.configuration import FILE, TOKENS, changed, read, refusal


@pytest.fixture(autouse=True)
def _in_an_empty_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


WEST = {"ROLLCALL_CONNECTIONS__US_WEST__TOKEN": "hush-west"}


# The environment


def test_the_environment_wins_over_the_file() -> None:
    found = read(
        FILE + "[server]\nport = 3001\n",
        ROLLCALL_SERVER__PORT="8080",
        ROLLCALL_CONNECTIONS__US_WEST__PACE__GAP="1m",
        rollcall_roles__lead__members='["U03CAROL", "W04DAVE"]',
    )

    assert found.server.port == 8080
    assert found.connections["us-west"].pace.gap == timedelta(minutes=1)
    assert found.connections["us-west"].pace.batch == 5
    assert found.roles["lead"].members == ("U03CAROL", "W04DAVE")


def test_the_environment_alone_can_be_enough() -> None:
    found = load(
        None,
        {
            "ROLLCALL_CONNECTIONS__SUPPORT__PROVIDER": "wuts",
            "ROLLCALL_CONNECTIONS__SUPPORT__TOKEN": "hush",
            "ROLLCALL_ROLES": '{"lead": {"members": ["U02BOB"], "capabilities": ["approve"]}}',
            "ROLLCALL_APPROVALS": '[{"operations": ["add"], "approvers": ["lead"]}]',
        },
    )

    assert found.connections["support"].provider == "wuts"
    assert found.approvals[0].approvers == ("lead",)


def test_a_variable_matches_a_name_with_capitals_and_a_dash() -> None:
    text = FILE.replace("us-west", "US-West")

    assert list(read(text).connections) == ["support", "US-West"]


def test_an_ambiguous_variable_is_rejected() -> None:
    text = FILE + '[connections.us_west]\nprovider = "wuts"\n'

    assert refusal(text) == (
        "ROLLCALL_CONNECTIONS__US_WEST__TOKEN: connections.us_west could be 'us-west' or 'us_west'; rename one of them"
        " (and 2 more; `rollcall check` lists them)"
    )


def test_kubernetes_service_variables_are_ignored() -> None:
    found = read(ROLLCALL_PORT="tcp://10.0.0.1:3000", ROLLCALL_SERVICE_HOST="10.0.0.1", ROLLCALL_SERVER_PORT="80")

    assert found.server.port == 3000


def test_slacks_own_variables_set_the_tokens() -> None:
    found = read(SLACK_BOT_TOKEN="xoxb-1", SLACK_APP_TOKEN="xapp-1", SLACK_SIGNING_SECRET="s")

    credentials = found.require_slack()
    assert credentials.bot_token == SecretStr("xoxb-1")
    assert credentials.app_token == SecretStr("xapp-1")
    assert credentials.signing_secret == SecretStr("s")
    assert credentials.socket_mode


def test_rollcalls_variable_wins_over_slacks() -> None:
    found = read(ROLLCALL_SLACK__BOT_TOKEN="xoxb-ours", SLACK_BOT_TOKEN="xoxb-theirs")

    assert found.slack.bot_token == SecretStr("xoxb-ours")


def test_an_empty_slack_variable_is_ignored() -> None:
    credentials = read(SLACK_BOT_TOKEN="xoxb-1", SLACK_APP_TOKEN="", SLACK_SIGNING_SECRET="s").require_slack()

    assert not credentials.socket_mode


# Files that hold secrets


def test_a_secret_is_read_from_its_file_without_the_line_break() -> None:
    Path("west").write_text("hush-from-file\n", encoding="utf-8")
    Path("bot").write_text("xoxb-from-file\n", encoding="utf-8")
    text = changed('provider = "wacr"', 'provider = "wacr"\ntoken_file = "west"') + '[slack]\nbot_token_file = "bot"\n'

    found = read(text, {"ROLLCALL_CONNECTIONS__SUPPORT__TOKEN": "hush"})

    assert found.connections["us-west"].token == SecretStr("hush-from-file")
    assert found.slack.bot_token == SecretStr("xoxb-from-file")


def test_a_secret_in_the_environment_wins_over_its_file() -> None:
    text = changed('provider = "wacr"', 'provider = "wacr"\ntoken_file = "does-not-exist"')

    assert read(text).connections["us-west"].token == SecretStr("hush-west")


@pytest.mark.parametrize("written", ["hush-a-token-by-mistake", "Hush/a+token=="])
def test_an_unreadable_secret_file_is_rejected_without_a_name_that_may_be_a_secret(written: str) -> None:
    text = changed('account = "session-1"', f'account = "session-1"\ntoken_file = "{written}"')

    message = refusal(text, WEST)

    assert written not in message
    assert message == (
        "rollcall.toml: connections.support.token_file names a file that can't be read"
        f" (No such file or directory): a hidden name in {Path.cwd()}; check its path"
    )


@pytest.mark.parametrize("written", ["secrets/support", "support.txt", "/run/secrets/support"])
def test_the_path_that_was_tried_for_a_secret_is_named(written: str) -> None:
    text = changed('account = "session-1"', f'account = "session-1"\ntoken_file = "{written}"')

    assert f"(No such file or directory): {Path(written).absolute()}; check its path" in refusal(text, WEST)


def test_all_errors_are_found_in_one_run() -> None:
    text = (
        changed('provider = "wasend"', 'provider = "wasend"\ntoken_file = "no/file"')
        .replace('"5s"', '"soon"')
        .replace('connection = "support"', 'connection = "suport"')
        .replace("min_participants = 20", "min_participants = -1")
    )
    Path("rollcall.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load(None, {**WEST, "ROLLCALL_SERVR__PORT": "1", "ROLLCALL_ROLES__LEED__GROUPS": "[]"})

    keys = [line.split(": ", 1)[1].split(" ")[0] for line in caught.value.lines]
    assert sorted(keys) == [
        "approvals[0].min_participants",
        "connections.support.token_file",
        "connections.us-west.pace.gap",
        "groups.launch-team.connection",
        "roles.leed",
        "servr",
    ]
    assert str(caught.value) == f"{caught.value.lines[0]} (and 5 more; `rollcall check` lists them)"


def test_an_unreadable_secret_file_is_reported_with_its_variable() -> None:
    message = refusal(FILE, {"ROLLCALL_CONNECTIONS__SUPPORT__TOKEN_FILE": "hush"})

    assert message.startswith("ROLLCALL_CONNECTIONS__SUPPORT__TOKEN_FILE: connections.support.token_file names a file")


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b" \n", "names an empty file; put the secret into it"), (b"\xff\xfe", "can't be read (it isn't text)")],
)
def test_a_secret_file_without_a_secret_is_rejected(content: bytes, expected: str) -> None:
    Path("west").write_bytes(content)
    text = changed('provider = "wacr"', 'provider = "wacr"\ntoken_file = "west"')

    assert expected in refusal(text, {"ROLLCALL_CONNECTIONS__SUPPORT__TOKEN": "hush"})


# Errors in variables


def test_a_missing_token_is_reported_with_its_variable() -> None:
    assert refusal(FILE, {"ROLLCALL_CONNECTIONS__SUPPORT__TOKEN": "hush"}) == (
        "rollcall.toml: connections.us-west.token is missing; it takes the provider's API key;"
        " set ROLLCALL_CONNECTIONS__US_WEST__TOKEN, or token_file to the file that contains it"
    )


def test_a_misspelt_name_in_a_variable_adds_no_connection() -> None:
    assert refusal(FILE, {"ROLLCALL_CONNECTIONS__SUPORT__TOKEN": "hush"}) == (
        "ROLLCALL_CONNECTIONS__SUPORT__TOKEN: connections.suport isn't in the file and has no provider;"
        " did you mean 'support'? (and 2 more; `rollcall check` lists them)"
    )


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("ROLLCALL_SLAK__API_URL", "https://x", "slak isn't a section; did you mean 'slack'?"),
        ("ROLLCALL_SLACK__API_ULR", "https://x", "slack.api_ulr isn't a key of this section; did you mean 'api_url'?"),
        ("ROLLCALL_SERVER__PORT", "http", "server.port must be a whole number"),
        ("ROLLCALL_SERVER__PORT", "-1", "server.port must be at least 0"),
        ("ROLLCALL_ROLES__LEAD__MEMBERS", "U1", 'roles.lead.members must be JSON: ["a", "b"]'),
        ("ROLLCALL_ROLES", "{", "roles must be JSON: the same as in the file"),
        ("ROLLCALL_APPROVALS__0__QUORUM", "1", "approvals is a list; set ROLLCALL_APPROVALS to all rules as JSON"),
        (
            "ROLLCALL_CONNECTIONS__US_WEST__TOKEN",
            " ",
            "connections.us-west.token is empty; set it to the secret itself, or remove it",
        ),
        (
            "ROLLCALL_CONNECTIONS__US_WEST__TOKEN",
            "hush\nhush",
            "connections.us-west.token contains characters that an HTTP header can't; copy the secret again",
        ),
        (
            "ROLLCALL_CONNECTIONS__US_WEST__PROVIDER",
            "hush-a-token-that-was-set-in-the-wrong-variable",
            (
                "connections.us-west.provider is (hidden), which isn't a known provider;"
                " known: twochat, wacr, wagateway, wasend, wuts"
            ),
        ),
    ],
)
def test_an_error_in_a_variable_is_reported_with_its_name(variable: str, value: str, expected: str) -> None:
    assert refusal(FILE, TOKENS | {variable: value}) == f"{variable}: {expected}"


# Files that cannot be used


def test_no_file_and_no_connection_is_an_error() -> None:
    with pytest.raises(
        ConfigurationError, match=r"^rollcall\.toml: no such file, and the environment names no connection"
    ):
        load(None, {"ROLLCALL_SERVER__PORT": "80"})


def test_without_a_file_a_missing_key_is_reported_with_its_variable() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(None, {"ROLLCALL_CONNECTIONS__SUPPORT__TOKEN": "hush"})

    assert str(caught.value) == (
        "ROLLCALL_CONNECTIONS__SUPPORT__PROVIDER: connections.support.provider is missing;"
        " it takes one of wacr, wagateway, wasend, wuts, twochat"
    )


def test_a_file_without_connections_is_rejected() -> None:
    assert refusal("", {}) == (
        "rollcall.toml: connections is empty; add a section [connections.<name>] with provider, and its token"
    )


def test_a_named_file_must_exist() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(Path("other.toml"), TOKENS)

    assert str(caught.value) == (
        "other.toml: no such file; copy rollcall.example.toml there, or name another with --config"
    )


def test_a_directory_is_rejected() -> None:
    Path("etc").mkdir()

    with pytest.raises(ConfigurationError, match=r"^etc: can't be read \(Is a directory\)"):
        load(Path("etc"), TOKENS)


def test_a_toml_error_is_reported_with_its_line() -> None:
    assert refusal("[slack]\napi_url = https://slack.com\n").startswith(
        "rollcall.toml: isn't TOML: Invalid value (at line 2"
    )


def test_a_truncated_file_is_reported_with_its_last_line() -> None:
    assert "(at line 2, the end of the file)" in refusal("[slack]\nx = [")


def test_a_file_in_another_encoding_is_rejected() -> None:
    Path("rollcall.toml").write_bytes("# caf\xe9".encode("latin-1"))

    with pytest.raises(ConfigurationError, match=r"^rollcall\.toml: isn't UTF-8 text; save it as UTF-8"):
        load(None, TOKENS)


def test_a_byte_order_mark_is_ignored() -> None:
    Path("rollcall.toml").write_text(FILE, encoding="utf-8-sig")

    assert list(load(None, TOKENS).connections) == ["support", "us-west"]


def test_a_key_with_a_line_break_stays_in_one_line() -> None:
    assert refusal(FILE + '[slack]\n"api\\nurl" = 1\n').startswith('rollcall.toml: slack."api\\nurl" isn\'t a key')


@given(
    document=st.recursive(
        st.integers() | st.text(max_size=8) | st.booleans(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "slack",
                        "connections",
                        "groups",
                        "roles",
                        "approvals",
                        "support",
                        "pace",
                        "token_file",
                        "provider",
                        "members",
                    ]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=8,
    )
)
@settings(max_examples=150)
def test_any_variable_is_read_or_rejected_in_one_line(document: Any) -> None:
    environ = TOKENS | {
        f"ROLLCALL_{section.upper()}": json.dumps({"support": document} if section != "approvals" else [document])
        for section in ("connections", "groups", "roles", "approvals", "slack")
    }
    assert "\n" not in _message(environ)


def _message(environ: dict[str, str]) -> str:
    try:
        load(None, environ)
    except ConfigurationError as error:
        return str(error)
    return ""
