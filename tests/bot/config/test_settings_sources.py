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


def test_a_name_with_capitals_and_a_dash_is_reached() -> None:
    text = FILE.replace("us-west", "US-West")

    assert list(read(text).connections) == ["support", "US-West"]


def test_a_variable_that_could_mean_two_connections_is_refused() -> None:
    text = FILE + '[connections.us_west]\nprovider = "wuts"\n'

    assert refusal(text) == (
        "ROLLCALL_CONNECTIONS__US_WEST__TOKEN: connections.us_west could be 'us-west' or 'us_west'; rename one of them"
    )


def test_variables_that_kubernetes_sets_beside_a_service_are_left_alone() -> None:
    found = read(ROLLCALL_PORT="tcp://10.0.0.1:3000", ROLLCALL_SERVICE_HOST="10.0.0.1", ROLLCALL_SERVER_PORT="80")

    assert found.server.port == 3000


def test_slacks_own_names_stand_for_the_tokens() -> None:
    found = read(SLACK_BOT_TOKEN="xoxb-1", SLACK_APP_TOKEN="xapp-1", SLACK_SIGNING_SECRET="s")

    credentials = found.require_slack()
    assert credentials.bot_token == SecretStr("xoxb-1")
    assert credentials.app_token == SecretStr("xapp-1")
    assert credentials.signing_secret == SecretStr("s")
    assert credentials.socket_mode


def test_rollcalls_name_of_a_token_wins_over_slacks() -> None:
    found = read(ROLLCALL_SLACK__BOT_TOKEN="xoxb-ours", SLACK_BOT_TOKEN="xoxb-theirs")

    assert found.slack.bot_token == SecretStr("xoxb-ours")


def test_an_empty_variable_of_slacks_counts_as_none() -> None:
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


def test_an_unreadable_secret_file_is_refused_without_its_name() -> None:
    text = changed('account = "session-1"', 'account = "session-1"\ntoken_file = "hush-a-token-by-mistake"')

    assert refusal(text, {}) == (
        "rollcall.toml: connections.support.token_file names a file that cannot be read"
        " (No such file or directory); check its path"
    )


def test_a_secret_file_named_by_the_environment_is_refused_by_its_variable() -> None:
    line = refusal(FILE, {"ROLLCALL_CONNECTIONS__SUPPORT__TOKEN_FILE": "hush"})

    assert line.startswith("ROLLCALL_CONNECTIONS__SUPPORT__TOKEN_FILE: connections.support.token_file names a file")


@pytest.mark.parametrize(
    ("content", "words"),
    [(b" \n", "names an empty file; put the secret into it"), (b"\xff\xfe", "cannot be read (it is no text)")],
)
def test_a_secret_file_without_a_secret_is_refused(content: bytes, words: str) -> None:
    Path("west").write_bytes(content)
    text = changed('provider = "wacr"', 'provider = "wacr"\ntoken_file = "west"')

    assert words in refusal(text, {"ROLLCALL_CONNECTIONS__SUPPORT__TOKEN": "hush"})


# What is refused: variables


def test_a_missing_token_is_said_with_its_variable() -> None:
    assert refusal(FILE, {"ROLLCALL_CONNECTIONS__SUPPORT__TOKEN": "hush"}) == (
        "rollcall.toml: connections.us-west.token is missing; it takes the provider's API key;"
        " set ROLLCALL_CONNECTIONS__US_WEST__TOKEN, or token_file to the file that holds it"
    )


def test_a_misspelt_name_in_a_variable_is_no_new_connection() -> None:
    assert refusal(FILE, {"ROLLCALL_CONNECTIONS__SUPORT__TOKEN": "hush"}) == (
        "ROLLCALL_CONNECTIONS__SUPORT__TOKEN: connections.suport is not in the file and has no provider;"
        " did you mean 'support'?"
    )


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("ROLLCALL_SLAK__API_URL", "https://x", "slak is no section; did you mean 'slack'?"),
        ("ROLLCALL_SLACK__API_ULR", "https://x", "slack.api_ulr is no key of this section; did you mean 'api_url'?"),
        ("ROLLCALL_SERVER__PORT", "http", "server.port must be a whole number"),
        ("ROLLCALL_SERVER__PORT", "-1", "server.port must be at least 0"),
        ("ROLLCALL_ROLES__LEAD__MEMBERS", "U1", 'roles.lead.members must be JSON: ["a", "b"]'),
        ("ROLLCALL_ROLES", "{", "roles must be JSON: what the file would hold"),
        ("ROLLCALL_APPROVALS__0__QUORUM", "1", "approvals is a list; set ROLLCALL_APPROVALS to all rules as JSON"),
        (
            "ROLLCALL_CONNECTIONS__US_WEST__TOKEN",
            " ",
            "connections.us-west.token is empty; set it to the secret itself, or take it away",
        ),
        (
            "ROLLCALL_CONNECTIONS__US_WEST__TOKEN",
            "hush\nhush",
            "connections.us-west.token holds characters that no HTTP header can carry; copy the secret again",
        ),
        (
            "ROLLCALL_CONNECTIONS__US_WEST__PROVIDER",
            "hush-a-token-that-was-set-in-the-wrong-variable",
            (
                "connections.us-west.provider is (hidden), which is no provider;"
                " known: twochat, wacr, wagateway, wasend, wuts"
            ),
        ),
    ],
)
def test_a_mistake_in_a_variable_is_said_by_its_name(variable: str, value: str, said: str) -> None:
    assert refusal(FILE, TOKENS | {variable: value}) == f"{variable}: {said}"


# Files that cannot be used


def test_without_a_file_and_a_connection_there_is_nothing_to_run() -> None:
    with pytest.raises(
        ConfigurationError, match=r"^rollcall\.toml: no such file, and the environment names no connection"
    ):
        load(None, {"ROLLCALL_SERVER__PORT": "80"})


def test_without_a_file_a_missing_key_is_said_by_its_variable() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(None, {"ROLLCALL_CONNECTIONS__SUPPORT__TOKEN": "hush"})

    assert str(caught.value) == (
        "ROLLCALL_CONNECTIONS__SUPPORT__PROVIDER: connections.support.provider is missing;"
        " it takes one of wacr, wagateway, wasend, wuts, twochat"
    )


def test_a_file_without_connections_is_refused() -> None:
    assert refusal("", {}) == (
        "rollcall.toml: connections is empty; add a section [connections.<name>] with provider, and its token"
    )


def test_a_file_that_somebody_named_must_exist() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(Path("other.toml"), TOKENS)

    assert str(caught.value) == (
        "other.toml: no such file; copy rollcall.example.toml there, or name another with --config"
    )


def test_a_directory_is_no_file() -> None:
    Path("etc").mkdir()

    with pytest.raises(ConfigurationError, match=r"^etc: cannot be read \(Is a directory\)"):
        load(Path("etc"), TOKENS)


def test_a_mistake_in_the_toml_is_said_with_its_line() -> None:
    assert refusal("[slack]\napi_url = https://slack.com\n").startswith(
        "rollcall.toml: is not TOML: Invalid value (at line 2"
    )


def test_a_file_that_ends_too_early_is_said_with_its_last_line() -> None:
    assert "(at line 2, the end of the file)" in refusal("[slack]\nx = [")


def test_a_file_in_another_encoding_is_refused() -> None:
    Path("rollcall.toml").write_bytes("# caf\xe9".encode("latin-1"))

    with pytest.raises(ConfigurationError, match=r"^rollcall\.toml: is not UTF-8 text; save it as UTF-8"):
        load(None, TOKENS)


def test_a_byte_order_mark_does_no_harm() -> None:
    Path("rollcall.toml").write_text(FILE, encoding="utf-8-sig")

    assert list(load(None, TOKENS).connections) == ["support", "us-west"]


def test_a_key_with_a_line_break_stays_in_one_line() -> None:
    assert refusal(FILE + '[slack]\n"api\\nurl" = 1\n').startswith('rollcall.toml: slack."api\\nurl" is no key')


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
def test_whatever_stands_in_a_variable_is_read_or_refused_in_one_line(document: Any) -> None:
    environ = TOKENS | {
        f"ROLLCALL_{section.upper()}": json.dumps({"support": document} if section != "approvals" else [document])
        for section in ("connections", "groups", "roles", "approvals", "slack")
    }
    assert "\n" not in _said(environ)


def _said(environ: dict[str, str]) -> str:
    try:
        load(None, environ)
    except ConfigurationError as error:
        return str(error)
    return ""
