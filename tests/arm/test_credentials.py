"""The file that AZURE_AUTH_LOCATION names, against a token endpoint that takes its secret."""

from __future__ import annotations

import json
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs

import pytest

from reconciler.arm.clouds import cloud_named
from reconciler.arm.connect import connect
from reconciler.arm.credentials import OneToken, principal_from, sign_in, subscription_in_file
from reconciler.errors import AuthenticationFailed, ExitCode, Unavailable

SECRET = "s3cr3t-of-the-principal"
PUBLIC = cloud_named("AzureCloud")


@pytest.fixture
def members(subscription) -> dict[str, object]:
    return {
        "clientId": "aaaaaaaa-0000-0000-0000-000000000001",
        "clientSecret": SECRET,
        "subscriptionId": subscription,
        "tenantId": "bbbbbbbb-0000-0000-0000-000000000002",
        "activeDirectoryEndpointUrl": "https://login.microsoftonline.com",
        "resourceManagerEndpointUrl": "https://management.azure.com/",
        "activeDirectoryGraphResourceId": "https://graph.windows.net/",
    }


@pytest.fixture
def environ(tmp_path) -> dict[str, str]:
    return {"AZURE_AUTH_LOCATION": str(tmp_path / "auth.json")}


@pytest.fixture
def write(tmp_path):
    def written(value: object, encoding: str = "utf-8") -> None:
        text = value if isinstance(value, str) else json.dumps(value)
        (tmp_path / "auth.json").write_bytes(text.encode(encoding))

    return written


def token_endpoint(server, answer, *, token: str = "the-token", refused: str = ""):
    """Answers as the directory does: where its tokens are, and a token for the right secret."""

    def respond(seen):
        if seen.path.endswith("/openid-configuration"):
            tenant = f"{server.url}/{seen.path.split('/')[1]}"
            body = {"issuer": f"{tenant}/v2.0", "token_endpoint": f"{tenant}/oauth2/v2.0/token"}
            return answer(body=body | {"authorization_endpoint": f"{tenant}/authorize"})
        if refused:
            return answer(
                status=401, body={"error": "invalid_client", "error_description": refused}
            )
        return answer(body={"token_type": "Bearer", "expires_in": 3600, "access_token": token})

    server.answers = [respond]


def test_the_token_of_the_files_principal_arrives_as_the_bearer(
    secure_servers, answer, members, environ, write, group
) -> None:
    directory, arm = secure_servers(), secure_servers()
    token_endpoint(directory, answer, token="the-token-handed-out")
    arm.answers = [answer(body={"name": "web"})]
    write(
        members
        | {"activeDirectoryEndpointUrl": directory.url, "resourceManagerEndpointUrl": arm.url}
    )

    with connect(cloud="AzureCloud", endpoint=None, parallelism=4, environ=environ) as cloud:
        assert cloud.group(group) == {"name": "web"}
        cloud.put_group(group, {})

    asked = parse_qs(directory.seen[-1].body.decode())
    assert asked["client_secret"] == [SECRET]
    assert asked["scope"] == [f"{arm.url}/.default"]
    bearers = {seen.headers["Authorization"] for seen in arm.seen}
    assert bearers == {"Bearer the-token-handed-out"}
    assert directory.methods.count("POST") == 1  # one sign-in serves every client


def test_a_netrc_entry_does_not_replace_the_bearer(
    secure_servers, answer, members, environ, write, group, tmp_path, monkeypatch
) -> None:
    directory, arm = secure_servers(), secure_servers()
    token_endpoint(directory, answer)
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login joe password pw\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    write(
        members
        | {"activeDirectoryEndpointUrl": directory.url, "resourceManagerEndpointUrl": arm.url}
    )

    with connect(cloud="AzureCloud", endpoint=None, parallelism=1, environ=environ) as cloud:
        cloud.group(group)

    assert arm.seen[0].headers["Authorization"] == "Bearer the-token"


def test_an_endpoint_of_the_command_line_gets_the_files_principal(
    secure_servers, answer, members, environ, write, group
) -> None:
    directory, arm = secure_servers(), secure_servers()
    token_endpoint(directory, answer)
    write(members | {"activeDirectoryEndpointUrl": directory.url})

    with connect(cloud="AzureCloud", endpoint=arm.url, parallelism=1, environ=environ) as cloud:
        cloud.group(group)

    asked = parse_qs(directory.seen[-1].body.decode())
    assert asked["scope"] == ["https://management.azure.com/.default"]
    assert arm.methods == ["GET"]


def test_a_secret_that_is_refused_is_an_error_without_it(
    secure_servers, answer, members, environ, write, group
) -> None:
    directory, arm = secure_servers(), secure_servers()
    token_endpoint(directory, answer, refused="AADSTS7000215: Invalid client secret provided.")
    write(
        members
        | {"activeDirectoryEndpointUrl": directory.url, "resourceManagerEndpointUrl": arm.url}
    )

    with (
        connect(cloud="AzureCloud", endpoint=None, parallelism=1, environ=environ) as cloud,
        pytest.raises(AuthenticationFailed, match="AADSTS7000215") as caught,
    ):
        cloud.put_group(group, {})

    assert SECRET not in str(caught.value)
    assert "az login" in caught.value.hint
    assert arm.seen == []


def test_a_server_that_is_not_trusted_is_told_nothing(
    secure_servers, answer, members, environ, write, group, monkeypatch
) -> None:
    directory, arm = secure_servers(), secure_servers()
    token_endpoint(directory, answer)
    write(
        members
        | {"activeDirectoryEndpointUrl": directory.url, "resourceManagerEndpointUrl": arm.url}
    )
    with connect(cloud="AzureCloud", endpoint=None, parallelism=1, environ=environ) as cloud:
        cloud.group(group)
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")

        with pytest.raises(Unavailable, match="cannot be reached.*(?i:certificate)"):
            cloud.put_group(group, {})

    assert arm.methods == ["GET"]


@pytest.mark.parametrize("name", ["clientId", "clientSecret", "tenantId", "subscriptionId"])
@pytest.mark.parametrize("value", [None, "", 7])
def test_a_missing_member_is_named(members, environ, write, name, value) -> None:
    write(members | {name: value})

    with pytest.raises(AuthenticationFailed) as caught:
        sign_in(PUBLIC, environ)

    text = str(caught.value)
    assert text.startswith(f"AZURE_AUTH_LOCATION: '{environ['AZURE_AUTH_LOCATION']}': missing")
    assert name in text
    assert "az ad sp create-for-rbac" in text
    assert SECRET not in text
    assert caught.value.exit_code is ExitCode.FAILED


def test_all_missing_members_are_named_at_once(environ, write) -> None:
    write({})

    with pytest.raises(
        AuthenticationFailed, match="clientId, tenantId, subscriptionId, clientSecret"
    ):
        sign_in(PUBLIC, environ)


@pytest.mark.parametrize("text", [f'{{"clientSecret": "{SECRET}"', "", "\ufeff", SECRET])
def test_a_file_that_is_not_json_is_named_and_not_quoted(environ, write, text) -> None:
    write(text)

    with pytest.raises(AuthenticationFailed, match=r"auth\.json': not JSON") as caught:
        sign_in(PUBLIC, environ)

    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("value", [[], "text", None, 1])
def test_a_file_that_holds_no_object_is_refused(environ, write, value) -> None:
    write(json.dumps(value))

    with pytest.raises(AuthenticationFailed, match="not a JSON object"):
        sign_in(PUBLIC, environ)


@pytest.mark.parametrize("name", ["", "absent.json", "."])
def test_a_file_that_cannot_be_read_is_refused_and_nothing_else_is_tried(tmp_path, name) -> None:
    """Also an empty name: set is set, and the chain might find another identity."""
    environ = {"AZURE_AUTH_LOCATION": str(tmp_path / name) if name else ""}

    with pytest.raises(AuthenticationFailed, match="cannot be read|set, but empty"):
        connect(cloud="AzureCloud", endpoint=None, parallelism=1, environ=environ)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_written_by_powershell_is_read(
    members, environ, write, encoding, subscription
) -> None:
    write(members, encoding)

    assert subscription_in_file(environ) == subscription


def test_without_the_variable_there_is_no_subscription_of_a_file() -> None:
    assert subscription_in_file({}) is None


@pytest.mark.parametrize(
    ("name", "url", "says"),
    [
        ("resourceManagerEndpointUrl", "http://management.azure.com", "plain http"),
        ("resourceManagerEndpointUrl", "management.azure.com", "expected a URL"),
        (
            "resourceManagerEndpointUrl",
            "https://a:b@management.azure.com",
            "credentials in the URL are not taken",
        ),
        ("activeDirectoryEndpointUrl", "http://login.microsoftonline.com", "plain http"),
        ("activeDirectoryEndpointUrl", "http://127.0.0.1:1", "over https alone"),
    ],
)
def test_a_url_in_the_file_must_be_https(members, environ, write, name, url, says) -> None:
    write(members | {name: url})

    with pytest.raises(AuthenticationFailed, match=f"{name}.*{says}"):
        sign_in(PUBLIC, environ)


def test_urls_that_the_file_leaves_out_are_those_of_the_cloud(members, environ, write) -> None:
    short = {name: value for name, value in members.items() if not name.endswith("Url")}
    write(short)

    found = sign_in(cloud_named("AzureChinaCloud"), environ)

    assert found.endpoint == "https://management.chinacloudapi.cn"
    assert found.scope == "https://management.chinacloudapi.cn/.default"


def test_the_endpoint_in_the_file_decides_the_scope(members, environ, write, subscription) -> None:
    write(members | {"resourceManagerEndpointUrl": "https://management.usgovcloudapi.net/"})

    found = sign_in(PUBLIC, environ)

    assert found.scope == "https://management.core.usgovcloudapi.net/.default"
    assert found.subscription == subscription


def test_a_local_stand_in_in_the_file_is_asked_without_a_secret(
    arm, answer, members, environ, write, group
) -> None:
    arm.answers = [answer(body={"name": "web"})]
    write(members | {"resourceManagerEndpointUrl": arm.url})

    with connect(cloud="AzureCloud", endpoint=None, parallelism=1, environ=environ) as cloud:
        cloud.group(group)

    assert "Authorization" not in arm.seen[0].headers


def test_a_principal_does_not_show_its_secret(members, environ, write) -> None:
    write(members)

    assert SECRET not in repr(principal_from(environ, cloud=PUBLIC))


def test_a_certificate_stands_in_for_a_secret(members, environ, write, tmp_path) -> None:
    del members["clientSecret"]
    write(members | {"clientCertificate": str(tmp_path / "absent.pem")})

    with pytest.raises(AuthenticationFailed, match=r"clientCertificate '.*absent\.pem'"):
        sign_in(PUBLIC, environ)


class Slow:
    """Counts how often it is asked for a token."""

    def __init__(self, lasts_s: int) -> None:
        self.asked: list[object] = []
        self._lasts_s = lasts_s

    def get_token_info(self, *scopes, options=None):
        from azure.core.credentials import AccessTokenInfo

        threading.Event().wait(0.02)
        self.asked.append(options)
        import time

        return AccessTokenInfo(f"token-{len(self.asked)}", int(time.time()) + self._lasts_s)

    def close(self) -> None:
        self.asked = []


def test_many_threads_ask_for_one_token() -> None:
    slow = Slow(lasts_s=3600)
    token = OneToken(slow)

    with ThreadPoolExecutor(8) as pool:
        found = {item.token for item in pool.map(lambda _: token.get_token_info("s"), range(16))}

    assert (found, len(slow.asked)) == ({"token-1"}, 1)


def test_a_token_about_to_end_and_one_that_was_challenged_are_renewed() -> None:
    ending, lasting = Slow(lasts_s=60), Slow(lasts_s=3600)

    for credential, options in ((ending, {}), (lasting, {"claims": "more"})):
        token = OneToken(credential)
        first = token.get_token_info("s", options={})
        second = token.get_token_info("s", options=options)
        assert first.token != second.token


def test_a_token_of_one_tenant_is_not_shown_to_another() -> None:
    """Vaults name their tenant; the scope is the same for all of them."""
    slow = Slow(lasts_s=3600)
    token = OneToken(slow)

    first, second, again = (
        token.get_token_info("s", options={"tenant_id": tenant}).token for tenant in "aba"
    )

    assert first != second
    assert again == first


@pytest.mark.parametrize(
    ("path", "why"), [("/dev/zero", "not a regular file"), ("/", "not a regular file")]
)
def test_a_file_without_end_is_not_read(path, why) -> None:
    with pytest.raises(AuthenticationFailed, match=f"'{path}': cannot be read: {why}"):
        principal_from({"AZURE_AUTH_LOCATION": path}, cloud=PUBLIC)


def test_a_pipe_is_not_waited_for(tmp_path) -> None:
    os.mkfifo(tmp_path / "auth.json")
    environ = {"AZURE_AUTH_LOCATION": str(tmp_path / "auth.json")}

    with pytest.raises(AuthenticationFailed, match="not a regular file"):
        principal_from(environ, cloud=PUBLIC)


def test_a_file_too_large_for_a_principal_is_refused(environ, members, write) -> None:
    write(json.dumps(members) + " " * 2**20)

    with pytest.raises(AuthenticationFailed, match="larger than 1 MiB"):
        principal_from(environ, cloud=PUBLIC)


def test_nesting_without_end_is_no_principal(environ, write) -> None:
    write("[" * 100_000)

    with pytest.raises(AuthenticationFailed, match="not JSON"):
        principal_from(environ, cloud=PUBLIC)


def test_a_path_that_no_file_can_have_is_refused() -> None:
    with pytest.raises(AuthenticationFailed, match="cannot be read"):
        principal_from({"AZURE_AUTH_LOCATION": "a\0b"}, cloud=PUBLIC)
