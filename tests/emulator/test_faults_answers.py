"""Faults that are answers: what a client sees, and what the service did meanwhile."""

from __future__ import annotations

import pytest

from reconciler.emulator import ManualClock


def error(response):
    body = response.json()["error"]
    return response.status_code, body["code"]


STATUSES = {
    401: ("ExpiredAuthenticationToken", {"WWW-Authenticate": "Bearer "}),
    403: ("AuthorizationFailed", {"x-ms-failure-cause": "gateway"}),
    404: ("ResourceNotFound", {}),
    409: ("ContainerGroupTransitioning", {}),
    429: ("ResourceRequestsThrottled", {"Retry-After": "10"}),
    500: ("InternalServerError", {}),
    502: ("BadGateway", {}),
    503: ("ServiceUnavailable", {}),
    504: ("GatewayTimeout", {"x-ms-failure-cause": "service", "Connection": "close"}),
    408: ("RequestTimeout", {}),
}


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_comes_with_azures_usual_code_and_headers(make, body, status):
    client = make(faults=[{"when": {"stage": "put", "first": 1}, "fault": {"status": status}}])

    refused = client.put(body)
    taken = client.put(body)

    code, headers = STATUSES[status]
    assert error(refused) == (status, code)
    assert {name: refused.headers[name][: len(text)] for name, text in headers.items()} == headers
    assert refused.headers["x-ms-request-id"]
    assert taken.status_code == 201, "the refused write must have had no effect"
    assert client.emulator.played == {str(status): 1}


def test_the_gateway_timeout_has_the_recorded_words(make, body):
    client = make(faults=[{"fault": {"status": 504}, "when": {"stage": "put"}}])

    assert client.refused(body)[2] == (
        "The gateway did not receive a response from 'Microsoft.ContainerInstance' within the "
        "specified time period."
    )


def test_after_its_effect_only_the_answer_is_lost(make, body):
    client = make(
        faults=[{"fault": {"status": 504, "afterEffect": True}, "when": {"stage": "put"}}]
    )

    refused = client.put(body)

    logged = client.emulator.requests[-1]
    assert error(refused) == (504, "GatewayTimeout")
    assert (logged.status, logged.answered, logged.faults) == (201, 504, ("504",))
    assert client.get()["name"] == "web"


def test_a_call_that_never_reached_the_service_is_logged_so(make, body):
    client = make(faults=[{"fault": {"status": 503}, "when": {"stage": "put"}}])

    client.put(body)

    logged = client.emulator.requests[-1]
    assert (logged.status, logged.answered) == (0, 503)
    assert client.emulator.groups() == []


def test_code_message_headers_and_delay_can_be_given(make, body):
    fault = {
        "status": 409,
        "code": "Odd",
        "message": "Never seen.",
        "headers": {"x-ms-failure-cause": "gateway"},
        "retryAfter": 2.5,
    }
    client = make(faults=[{"fault": fault, "when": {"stage": "put"}}])

    answered = client.put(body)

    assert answered.json() == {"error": {"code": "Odd", "message": "Never seen."}}
    assert answered.headers["x-ms-failure-cause"] == "gateway"
    assert answered.headers["Retry-After"] == "2.5"


def test_a_body_may_be_no_json_at_all(make):
    client = make(faults=[{"fault": {"status": 502, "body": "<html>"}, "when": {"stage": "list"}}])

    answered = client.call("GET", client.groups)

    assert (answered.status_code, answered.text) == (502, "<html>")
    assert answered.headers["Content-Type"] == "text/html"


def test_a_body_may_be_any_json(make):
    client = make(
        faults=[{"fault": {"status": 200, "body": {"value": None}}, "when": {"stage": "list"}}]
    )

    assert client.call("GET", client.groups).json() == {"value": None}


def test_too_large_has_no_body(make, body):
    client = make(faults=[{"fault": {"status": 413}, "when": {"stage": "put"}}])

    answered = client.put(body)

    assert (answered.status_code, answered.content) == (413, b"")


REFUSALS = {
    "transitioning": (409, "ContainerGroupTransitioning", "'web' is still transitioning"),
    "expired-token": (401, "ExpiredAuthenticationToken", "is earlier than current UTC time"),
    "forbidden": (403, "AuthorizationFailed", "Microsoft.ContainerInstance/containerGroups/write"),
    "throttled": (429, "ResourceRequestsThrottled", "containerGroups/write' exceeded the limit"),
    "capacity": (409, "ServiceUnavailable", "'westeurope' at this moment"),
    "quota": (
        409,
        "ContainerGroupQuotaReached",
        "quota 'StandardCores' exceeded in region 'westeurope'",
    ),
    "registry": (409, "RegistryErrorResponse", "docker registry 'index.docker.io'"),
    "inaccessible-image": (
        400,
        "InaccessibleImage",
        "The image 'nginx:1.27' in container group 'web'",
    ),
    "network-conflict": (429, "AnotherOperationInProgress", "dependent resource is in progress"),
    "dns-label-taken": (400, "DnsNameLabelNotAvailable", "Try using a different label."),
    "not-registered": (409, "MissingSubscriptionRegistration", "'Microsoft.ContainerInstance'"),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_named_refusal_has_azures_words(make, body, kind):
    client = make(faults=[{"fault": kind, "when": {"stage": "put", "first": 1}}])

    status, code, message = client.refused(body)

    assert (status, code) == REFUSALS[kind][:2]
    assert REFUSALS[kind][2] in message
    assert client.put(body).status_code == 201


def test_capacity_tells_what_was_asked_for(make, body):
    body["properties"]["subnetIds"] = [{"id": "/subnet"}]
    client = make(faults=[{"fault": "capacity"}])

    assert client.refused(body)[2].endswith(
        "Resource requested: '1' CPU '1.5' GB memory 'Linux' OS virtual network"
    )


def test_a_private_registry_is_named(make, body):
    body["properties"]["containers"][0]["properties"]["image"] = "shop.azurecr.io/web:1"
    client = make(faults=[{"fault": "registry"}])

    assert "docker registry 'shop.azurecr.io'" in client.refused(body)[2]


def test_the_token_expired_five_minutes_ago(make, body):
    client = make(time=ManualClock(), faults=[{"fault": "expired-token", "when": {"stage": "put"}}])

    assert client.refused(body)[2] == (
        "The access token expiry UTC time '1/1/2025 11:55:00 AM' is earlier than current UTC time "
        "'1/1/2025 12:00:00 PM'."
    )


def test_the_sdk_raises_what_a_fault_answers(make, sdk, body):
    from azure.core.exceptions import HttpResponseError

    client = make(faults=[{"fault": {"status": 403}, "when": {"stage": "list"}}])

    with pytest.raises(HttpResponseError) as caught:
        list(sdk(client).container_groups.list())

    assert (caught.value.status_code, caught.value.error.code) == (403, "AuthorizationFailed")
