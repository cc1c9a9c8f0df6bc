"""The only way a value becomes text: when in doubt it is hidden."""

from __future__ import annotations

import html
import json
import time
from base64 import b64encode, urlsafe_b64encode
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reconciler.core.diff import diff
from reconciler.core.mask import ABSENT, HIDDEN, disclosed, is_hidden, looks_secret, scrubbed, show
from tests.core.given import bounded, unowned, wanted
from tests.strategies import bodies, desired_of

CONTAINER = ("properties", "containers", "web", "properties")
VARIABLES = (*CONTAINER, "environmentVariables")
HEADERS = (*CONTAINER, "livenessProbe", "httpGet", "httpHeaders")


@pytest.mark.parametrize(
    "name",
    [
        "DB_PASSWORD",
        "password",
        "PGPASSWD",
        "API_KEY",
        "apiKey",
        "SECRET_VALUE",
        "TOKEN",
        "GITHUB_TOKEN",
        "KEY",
        "SSH-KEY",
    ]
    + [
        "CONNECTION_STRING",
        "CONN_STR",
        "SAS_URL",
        "BASIC_AUTH",
        "storageKey",
        "AZURE_CREDENTIALS",
        "JWT",
        "passphrase",
    ],
)
def test_names_that_look_secret(name):
    assert looks_secret(name)


@pytest.mark.parametrize(
    "name", ["HOST", "KEYBOARD", "AUTHOR", "NumWords", "MONKEY_SIZE", "PATH", "LOG_LEVEL"]
)
def test_names_that_do_not(name):
    assert not looks_secret(name)


PLACES = [
    ("a password", ("properties", "imageRegistryCredentials", "s", "password")),
    ("a key of a volume", ("properties", "volumes", "v", "secret", "a.txt")),
    ("a member below it", ("properties", "volumes", "v", "secret", "a.txt", "deeper")),
    ("protected settings", ("properties", "extensions", "e", "properties", "protectedSettings")),
    ("a member of them", ("properties", "extensions", "e", "properties", "protectedSettings", "x")),
    ("a secure value", (*VARIABLES, "HOST", "secureValue")),
    ("a variable by its name", (*VARIABLES, "DB_PASSWORD", "value")),
    ("a header by its name", (*HEADERS, "Authorization", "value")),
    ("a cookie", (*HEADERS, "Cookie", "value")),
]


@pytest.mark.parametrize(("why", "path"), PLACES, ids=[p[0] for p in PLACES])
def test_a_secret_place_shows_nothing(why, path):
    assert show(path, "plain text") == HIDDEN
    assert is_hidden(path, 1)


VALUES = [
    "postgres://me:hunter2@db/shop",
    "https://hunter2@git.example/r",
    "Server=db;Password=hunter2;",
    "AccountKey=hunter2==",
    "https://x.example/?sv=1&sig=hunter2",
    "-----BEGIN RSA PRIVATE KEY-----",
    "Authorization: Bearer hunter2hunter2",
    "psql --password hunter2",
    "curl --api-key  hunter2 x",
    '{"password": "hunter2"}',
    "{'api_key':'hunter2'}",
]


@pytest.mark.parametrize("value", VALUES)
def test_a_value_that_carries_a_credential_is_hidden_anywhere(value):
    assert show((*VARIABLES, "HOST", "value"), value) == HIDDEN
    assert "hunter2" not in show((*CONTAINER, "command"), ["sh", "-c", value])


def test_an_argument_behind_a_secret_flag_is_hidden():
    found = disclosed((*CONTAINER, "command"), ["run", "--password", "hunter2", "--port", "80"])

    assert found == ["run", "--password", HIDDEN, "--port", "80"]


def test_an_element_that_appears_is_judged_member_by_member():
    element = {
        "name": "web",
        "properties": {
            "image": "nginx:1",
            "environmentVariables": {
                "HOST": {"name": "HOST", "value": "db"},
                "TOKEN": {"value": "hunter2"},
            },
        },
    }
    text = show(CONTAINER[:3], element)

    assert "nginx:1" in text and '"db"' in text
    assert "hunter2" not in text


def test_a_list_of_named_objects_is_judged_by_their_names():
    assert "hunter2" not in show(VARIABLES, [{"name": "TOKEN", "value": "hunter2"}])
    assert "db" in show(VARIABLES, [{"name": "HOST", "value": "db"}])


def test_what_is_sensitive_or_absent_says_so():
    assert show(("location",), "westeurope", sensitive=True) == HIDDEN
    assert show(("location",), None) == ABSENT
    assert show(("location",), None, sensitive=True) == ABSENT


def test_long_text_is_cut():
    text = show(("location",), "x" * 999)

    assert (len(text), text[-1]) == (200, "…")
    assert len(show(("location",), "x" * 999, longest=None)) == 1001


@pytest.mark.parametrize(
    "text",
    [
        "://" + "a" * 90_000,
        "shared" + "a" * 90_000,
        "-" * 90_000,
        "'" + " " * 90_000,
        "password" * 9_000,
    ],
)
def test_no_text_is_slow_to_judge(text):
    started = time.perf_counter()
    show(("location",), text)

    assert time.perf_counter() - started < 5


@bounded
@given(bodies, bodies)
def test_no_secret_of_either_side_is_in_any_change(one, other):
    desired, live = wanted(one), unowned(wanted(other), other)
    planted = [s.value for s in (*desired.secrets, *desired_of(other).secrets)]
    plain = json.dumps([desired.body, desired_of(other).body])
    assume(not [value for value in planted if value in plain])  # by chance

    text = " ".join(
        show(change.path, value, sensitive=change.sensitive, longest=None)
        for change in diff(desired, live).changes
        for value in (change.before, change.after)
    )
    assert not [value for value in planted if value in text]


@bounded
@given(st.lists(st.text(min_size=4, max_size=8), max_size=4), st.text(max_size=9))
def test_a_scrubbed_text_holds_no_secret(secrets, rest):
    text = scrubbed(rest + "".join(secrets), secrets)

    assert not [s for s in secrets if s in text.replace(HIDDEN, "\0")]


@pytest.mark.parametrize(
    "spell",
    [
        json.dumps,
        lambda secret: json.dumps(secret, ensure_ascii=False),
        lambda secret: json.dumps(json.dumps(secret)),
        repr,
        quote,
        quote_plus,
        lambda secret: quote(secret, safe="").lower(),
        html.escape,
        lambda secret: b64encode(secret.encode()).decode(),
        lambda secret: urlsafe_b64encode(secret.encode()).decode().rstrip("="),
        lambda secret: secret.encode().hex(),
        lambda secret: json.dumps(secret).replace("/", "\\/"),
        lambda secret: " | ".join(secret.splitlines()),
    ],
)
@pytest.mark.parametrize("secret", ["canary q\"u\\te</s>&'%20 ü✓?~>", "canary of\n  canary two"])
def test_a_secret_is_scrubbed_however_it_is_quoted(secret, spell):
    spelled = spell(secret)

    text = scrubbed(f"Azure got {spelled}!", [secret])

    assert HIDDEN in text
    assert "canary" not in text
    assert spelled[5:-5] not in text  # but for quotes around it, or padding


@pytest.mark.parametrize("user", ["", "a", "me", "joe", "user"])
@pytest.mark.parametrize("after", ["", ":b", ":realm"])
def test_a_secret_inside_base64_is_scrubbed_wherever_it_stands(user, after):
    """`Authorization: Basic`, and a registry's `auth`."""
    secret = "canary-9/x+y~value"
    encoded = b64encode(f"{user}:{secret}{after}".encode()).decode()

    text = scrubbed(f"sent {encoded}!", [secret])

    assert HIDDEN in text
    left = text.removeprefix("sent ").removesuffix("!").replace(HIDDEN, "")
    assert len(left) <= len(encoded) - (len(secret) - 2) * 4 // 3 + 4


def test_what_is_too_short_or_absent_garbles_nothing():
    assert scrubbed("abc", ["", None, "b"]) == "abc"
