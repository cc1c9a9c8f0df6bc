"""What Azure refuses and what the network does, in our words, with a way on and without secrets."""

from __future__ import annotations

import pytest

from reconciler.arm.connect import connect
from reconciler.arm.translate import _cause, clean, secrets_in
from reconciler.core.cloud import Operation
from reconciler.core.ids import GroupId
from reconciler.errors import (
    AuthenticationFailed,
    AzureError,
    Conflict,
    Forbidden,
    NotFound,
    Rejected,
    Throttled,
    Unavailable,
)
from reconciler.execute.look import live_of


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Rejected),
        (401, AuthenticationFailed),
        (403, Forbidden),
        (404, NotFound),
        (408, Unavailable),
        (409, Conflict),
        (412, Rejected),
        (413, Rejected),
        (422, Rejected),
        (429, Throttled),
        (500, Unavailable),
        (504, Unavailable),
        (302, AzureError),
    ],
)
def test_a_status_is_an_error_with_azures_facts(cloud, arm, group, fail, status, kind) -> None:
    arm.answers = [fail(status, "SomeCode", "Some message.", x_ms_request_id="westeurope:1")]

    with pytest.raises(AzureError) as caught:
        cloud.put_group(group, {})

    error = caught.value
    assert type(error) is kind
    assert (error.verb, error.target, error.says) == ("put", "rg-shop/web", "Some message")
    assert (error.status, error.code, error.request_id) == (status, "SomeCode", "westeurope:1")
    assert str(error).startswith(
        f"put rg-shop/web: Some message (HTTP {status}, SomeCode, request id westeurope:1)"
    )


@pytest.mark.parametrize(
    ("status", "code", "message", "hint"),
    [
        (
            409,
            "ContainerGroupQuotaReached",
            "container group quota 'StandardCores' exceeded in region 'eastus'. Limit: '10'",
            "higher quota",
        ),
        (409, "ServiceUnavailable", "quota 'ContainerGroups' exceeded", "higher quota"),
        (409, "ServiceUnavailable", "not available in the location 'x'", "another region"),
        (400, "InaccessibleImage", "The image 'I' is not accessible.", "imageRegistryCredentials"),
        (409, "RegistryErrorResponse", "from the docker registry", "try again later"),
        (403, "AuthorizationFailed", "no permission", "Contributor Role"),
        (403, "RequestDisallowedByPolicy", "disallowed", "Azure Policy"),
        (409, "MissingSubscriptionRegistration", "register", "az provider register --namespace"),
        (
            400,
            "Unknown",
            "The DNS name label 'L' in container group 'N' not available. Try another.",
            "another dnsNameLabel",
        ),
        (400, "DnsNameLabelNotAvailable", "taken", "another dnsNameLabel"),
        (401, "InvalidAuthenticationToken", "expired", "az login"),
        (409, "ContainerGroupTransitioning", "still transitioning", "wait until"),
        (400, "InvalidContainerGroupUpdate", "delete it first", "--replace web"),
        (404, "SubscriptionNotFound", "not found", "subscription id"),
        (404, "ResourceGroupNotFound", "not found", "declare the resource group"),
        (429, "Throttled", "too many", "--parallelism"),
        (418, "Teapot", "short and stout", ""),
    ],
)
def test_a_refusal_says_what_to_do(cloud, arm, group, fail, status, code, message, hint) -> None:
    arm.answers = [fail(status, code, message)]

    with pytest.raises(AzureError) as caught:
        cloud.put_group(group, {})

    assert hint in caught.value.hint
    assert bool(hint) == bool(caught.value.hint)


def test_the_details_of_a_refusal_are_told(cloud, arm, group, answer) -> None:
    details = [{"code": "A", "message": "the cpu is too small"}, {"message": None}, "odd"]
    error = {"code": "Bad", "message": "Validation failed.", "details": details}
    arm.answers = [answer(status=400, body={"error": error})]

    with pytest.raises(Rejected, match=r"Validation failed\. the cpu is too small \(HTTP 400, Bad"):
        cloud.put_group(group, {})


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>Bad gateway</html>", b"{", [], "text", {"error": "text"}, {"error": None}]
    + [{"error": {"code": 1, "message": []}}, b"\xff", {"error": {"details": {}}}],
    ids=repr,
)
@pytest.mark.parametrize("verb", ["put_group", "group", "groups"])
def test_a_refusal_that_cannot_be_read_keeps_its_status(
    cloud, arm, group, answer, body, verb
) -> None:
    arm.answers = [answer(status=418, body=body, headers={"x-ms-request-id": "r"})]
    asked = {"put_group": (group, {}), "group": (group,), "groups": (group.subscription,)}

    with pytest.raises(Rejected, match="Azure answered 418") as caught:
        getattr(cloud, verb)(*asked[verb])

    assert (caught.value.status, caught.value.request_id) == (418, "r")


@pytest.mark.parametrize("body", [b"", b"<html>", b"{", b"null", [], "text", 1, b"\xff"], ids=repr)
@pytest.mark.parametrize("verb", ["put", "get", "patch", "logs", "get rg", "put rg"])
def test_an_answer_that_is_no_object_is_an_error(cloud, arm, group, answer, body, verb) -> None:
    """What Azure did with a write is then not known, hence the kind of error."""
    arm.answers = [answer(body=body)]
    ask = {
        "put": lambda: cloud.put_group(group, {}),
        "get": lambda: cloud.group(group),
        "patch": lambda: cloud.patch_tags(group, {}),
        "logs": lambda: cloud.logs(group, "web"),
        "get rg": lambda: cloud.resource_group(group.parent),
        "put rg": lambda: cloud.put_resource_group(group.parent, location="x", tags={}),
    }[verb]

    with pytest.raises(Unavailable, match=r"^[a-z ]+ .*(web|rg-shop): the answer is not") as caught:
        ask()

    assert caught.value.status == 200


def test_a_body_too_large_for_azure_says_so(cloud, arm, group, answer) -> None:
    """IIS answers 413 with nothing in it."""
    arm.answers = [answer(status=413)]

    with pytest.raises(Rejected, match="the body is too large for Azure"):
        cloud.put_group(group, {})


@pytest.mark.parametrize("code", ["ContainerGroupNotFound", "ResourceNotFound", "resourcenotfound"])
def test_both_forms_of_not_found_are_an_absent_group(cloud, arm, group, fail, code) -> None:
    arm.answers = [fail(404, code)]

    assert cloud.group(group) is None
    accepted = cloud.delete_group(group)
    assert (accepted.body, accepted.operation) == (None, None)


@pytest.mark.parametrize("code", ["SubscriptionNotFound", "InvalidResourceType", ""])
def test_any_other_404_is_an_error_and_not_an_absent_group(cloud, arm, group, fail, code) -> None:
    """Taken for absent, a group behind a broken proxy would be created over."""
    arm.answers = [fail(404, code)]

    for ask in (cloud.group, cloud.delete_group):
        with pytest.raises(NotFound):
            ask(group)
    with pytest.raises(NotFound):
        cloud.resource_group(group.parent)


def test_a_refusal_does_not_quote_the_secrets_it_was_sent(cloud, arm, group, answer) -> None:
    """ARM quotes what it could not read: 'Error converting value "…"'."""
    body = {
        "properties": {
            "containers": [
                {
                    "properties": {
                        "environmentVariables": [
                            {"name": "A", "secureValue": "hunter2"},
                            {"name": "B", "value": "seen-by-all"},
                        ]
                    }
                }
            ],
            "imageRegistryCredentials": [{"username": "joe", "password": 'quo"ted'}],
            "volumes": [
                {"secret": {"key.pem": "LS0tLS1CRUdJTg=="}},
                {"azureFile": {"storageAccountKey": "c3RvcmFnZQ=="}},
            ],
            "diagnostics": {"logAnalytics": {"workspaceKey": "d29ya3NwYWNlIQ=="}},
        }
    }

    def quoting(seen):
        message = f"Error converting value {seen.body.decode()}"
        return answer(
            status=400, body={"error": {"code": "InvalidRequestContent", "message": message}}
        )

    arm.answers = [quoting]

    with pytest.raises(Rejected) as caught:
        cloud.put_group(group, body)

    text = str(caught.value)
    secrets = ["hunter2", "quo", "LS0tLS1", "c3RvcmFn", "d29ya3Nw"]
    assert not any(secret in text for secret in secrets)
    assert "seen-by-all" in text
    assert text.count("(hidden)") == 5


def test_a_short_secret_does_not_blot_out_the_message() -> None:
    assert secrets_in({"secureValue": "1", "secret": {"a": ["long-one"]}}) == ["long-one"] * 2


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("at https://x.example/a/b?sig=abc&t=1 failed", "at https://x.example/a/b failed"),
        ("url: /sub/op?api-version=1&s=abc (Caused by X)", "url: /sub/op (Caused by X)"),
        ("https://joe:pw@x.example/a", "https://x.example/a"),
        ("Authorization: Bearer eyJ0.eXA-i_O", "Authorization: Bearer (hidden)"),
        ("two\nlines\t here", "two lines here"),
        ("why? because", "why? because"),
        ("x" * 1001, "x" * 999 + "…"),
    ],
)
def test_a_text_is_cleaned_of_what_signs_a_request(text, cleaned) -> None:
    assert clean(text) == cleaned


def test_nobody_listening_is_an_error_that_names_the_endpoint(arm, subscription) -> None:
    url = arm.url
    arm.close()
    group = GroupId(subscription=subscription, resource_group="rg", name="web")

    with (
        connect(cloud="AzureCloud", endpoint=url, parallelism=1, environ={}) as cloud,
        pytest.raises(
            Unavailable, match=r"put rg/web: cannot be reached: .*127\.0\.0\.1"
        ) as caught,
    ):
        cloud.put_group(group, {})

    assert "api-version" not in str(caught.value)


def test_a_body_that_breaks_off_is_an_error(cloud, arm, group, answer) -> None:
    arm.answers = [answer(body={"a": 1}, cut=True)]

    with pytest.raises(Unavailable, match="put rg-shop/web"):
        cloud.put_group(group, {})


READS = ("get", "list", "logs", "look", "get rg")
WRITES = ("put", "patch", "delete", "stop", "put rg")


@pytest.mark.parametrize("verb", READS + WRITES)
@pytest.mark.parametrize("failure", ["torn", "504"])
def test_only_a_write_may_have_taken_effect(cloud, arm, group, answer, fail, verb, failure) -> None:
    arm.answers = [answer(torn=True) if failure == "torn" else fail(504, "GatewayTimeout")]
    ask = {
        "get": lambda: cloud.group(group),
        "list": lambda: cloud.groups(group.subscription),
        "logs": lambda: cloud.logs(group, "web"),
        "look": lambda: cloud.look(Operation(url=f"{arm.url}/op")),
        "get rg": lambda: cloud.resource_group(group.parent),
        "put": lambda: cloud.put_group(group, {}),
        "patch": lambda: cloud.patch_tags(group, {}),
        "delete": lambda: cloud.delete_group(group),
        "stop": lambda: cloud.stop(group),
        "put rg": lambda: cloud.put_resource_group(group.parent, location="x", tags={}),
    }[verb]

    with pytest.raises(Unavailable) as caught:
        ask()

    assert caught.value.hint.startswith("try again")
    assert ("may have taken effect" in caught.value.hint) is (verb in WRITES)


@pytest.mark.parametrize("url", ["http://[::1", "https://]/op"])
def test_an_operation_at_an_odd_url_is_an_error_of_ours(cloud, url) -> None:
    with pytest.raises(AzureError, match="no credential is sent there"):
        cloud.look(Operation(url=url))


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        (
            (
                "HTTPSConnectionPool(host='h', port=443): Max retries exceeded with url: /x (Caused by "
                "NewConnectionError(\"HTTPSConnection(host='h', port=443): Failed to establish a new "
                'connection: [Errno 111] Connection refused"))'
            ),
            "h:443: Failed to establish a new connection: [Errno 111] Connection refused",
        ),
        (
            (
                "HTTPSConnectionPool(host='h', port=443): Max retries exceeded with url: /x (Caused by "
                "NameResolutionError(\"HTTPSConnection(host='h', port=443): Failed to resolve 'h' "
                '([Errno -2] Name or service not known)"))'
            ),
            "h:443: Failed to resolve 'h' ([Errno -2] Name or service not known)",
        ),
        (
            (
                "HTTPSConnectionPool(host='h', port=1): Max retries exceeded with url: / (Caused by "
                "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate "
                "verify failed: self-signed certificate (_ssl.c:1006)')))"
            ),
            (
                "h:1: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed "
                "certificate (_ssl.c:1006)"
            ),
        ),
        (
            (
                "HTTPSConnectionPool(host='h', port=1): Max retries exceeded with url: / (Caused by "
                "ConnectTimeoutError(<HTTPSConnection(host='h', port=1) at 0x7f>, 'Connection to h "
                "timed out. (connect timeout=5)'))"
            ),
            "h:1: Connection to h timed out. (connect timeout=5)",
        ),
        ("('Connection aborted.', Reset())", "('Connection aborted.', Reset())"),
    ],
)
def test_what_a_transport_says_is_cut_down_to_its_cause(text, cause) -> None:
    """What urllib3 wraps around it is three lines long and repeats the URL."""
    assert _cause(text) == cause


@pytest.mark.parametrize("status", [200, 400, 500])
def test_an_answer_of_too_many_levels_is_no_bug_of_ours(cloud, arm, group, answer, status) -> None:
    arm.answers = [answer(status=status, body=b'{"a":' * 5000 + b"1" + b"}" * 5000)]

    with pytest.raises(AzureError):
        cloud.group(group)


def test_a_group_of_too_many_levels_is_no_bug_of_ours(group) -> None:
    body: dict = {}
    for _ in range(5000):
        body = {"properties": body}
    whole = {"id": str(group), "properties": {"containers": [body]}}

    with pytest.raises(AzureError):
        live_of(whole)
