"""Azure's words for each fault that is an answer. Source: section B."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus

from reconciler.emulator.errors import (
    GATEWAY,
    Refusal,
    group_not_found,
    no_capacity,
    not_registered,
    quota_reached,
    resource_not_found,
    transitioning,
)
from reconciler.emulator.facts import region_of
from reconciler.emulator.faults.stages import Place
from reconciler.emulator.jsonval import JsonObject, as_number, as_object, as_text, dig, objects
from reconciler.emulator.world import Call, Reply

_ACTIONS = {"GET": "read", "HEAD": "read", "DELETE": "delete", "POST": "action"}


def answer(kind: str, options: JsonObject, call: Call, place: Place, now: datetime) -> Reply:
    """The answer of a fault: Azure's own, with what the script gives put in its place."""
    status = int(as_number(options.get("status")))
    if kind == "empty-list":
        return Reply(status=200, body={"value": []})
    if kind in ("status", "page-fails"):
        refusal = _by_status(status or 500, call, place, now)
    else:
        refusal = _NAMED[kind](call, place, now, options)
    code = as_text(options.get("code")) or refusal.code
    message = as_text(options.get("message")) or refusal.message
    headers = dict(refusal.headers)
    if "retryAfter" in options:
        headers["Retry-After"] = f"{as_number(options['retryAfter']):.10g}"
    headers |= {name: as_text(text) for name, text in as_object(options.get("headers")).items()}
    refusal = Refusal(status or refusal.status, code, message, headers)
    # These have no body. Source: B.2 for 413.
    given = options.get("body", None if refusal.status == 413 else refusal.body)
    if refusal.status in (204, 304) or given is None:
        return Reply(status=refusal.status, headers=headers)
    if isinstance(given, str):
        headers.setdefault("Content-Type", "text/html")
        return Reply(status=refusal.status, text=given, headers=headers)
    return Reply(status=refusal.status, body=given, headers=headers)


def _by_status(status: int, call: Call, place: Place, now: datetime) -> Refusal:
    """What Azure says with this status, most often."""
    named = {401: "expired-token", 403: "forbidden", 409: "transitioning", 429: "throttled"}
    if status in named:
        return _NAMED[named[status]](call, place, now, {})
    match status:
        case 404:
            home = _names(call).get("resourcegroups", "rg")
            if place.stage == "keys":
                kind, name, _ = _resource(call)
                return resource_not_found(kind, name, home)
            return group_not_found(_name(call), home)
        case 500:
            return Refusal(500, "InternalServerError", "Encountered internal server error.")
        case 502:
            return Refusal(502, "BadGateway", "The gateway received an invalid answer.", GATEWAY)
        case 503:
            return Refusal(503, "ServiceUnavailable", "The service is temporarily unavailable.")
        case 504:
            return Refusal(
                504,
                "GatewayTimeout",
                "The gateway did not receive a response from 'Microsoft.ContainerInstance' within "
                "the specified time period.",
                {"x-ms-failure-cause": "service", "Connection": "close"},
            )
        case _:
            phrase = HTTPStatus(status).phrase if status in _KNOWN else "Unknown"
            return Refusal(status, phrase.replace(" ", ""), f"{phrase}.")


_KNOWN = frozenset(int(status) for status in HTTPStatus)


def _throttled(call: Call, place: Place, _now: datetime, _options: JsonObject) -> Refusal:
    headers = {"Retry-After": "10"}
    if place.stage in ("put", "delete"):
        prefix = "x-ms-ratelimit-remaining-subscription-resource-requests"
        action = "write" if place.stage == "put" else "delete"
        return Refusal(
            429,
            "ResourceRequestsThrottled",
            f"Number of requests for action 'Microsoft.ContainerInstance/containerGroups/{action}' "
            "exceeded the limit of '100' for time interval '00:05:00'. Please try again after "
            "'10' seconds.",
            headers | {f"{prefix}-pt5m": "0"},
        )
    return Refusal(
        429,
        "SubscriptionRequestsThrottled",
        f"Number of requests for subscription '{_names(call).get('subscriptions', '')}' and "
        f"operation '{call.method}' exceeded the backend storage limit. Please try again after "
        "'10' seconds.",
        headers,
    )


def _expired(_call: Call, _place: Place, now: datetime, _options: JsonObject) -> Refusal:
    expiry = now - timedelta(minutes=5)
    return Refusal(
        401,
        "ExpiredAuthenticationToken",
        f"The access token expiry UTC time '{_american(expiry)}' is earlier than current UTC time "
        f"'{_american(now)}'.",
        {
            **GATEWAY,
            "WWW-Authenticate": 'Bearer authorization_uri="https://login.microsoftonline.com/'
            'common", error="invalid_token", error_description="The access token has expired."',
        },
    )


def _american(at: datetime) -> str:
    return f"{at.month}/{at.day}/{at:%Y} {at.hour % 12 or 12}:{at:%M:%S %p}"


def _forbidden(call: Call, place: Place, _now: datetime, _options: JsonObject) -> Refusal:
    return Refusal(
        403,
        "AuthorizationFailed",
        "The client 'emulator' with object id '00000000-0000-4000-8000-000000000001' does not have "
        f"authorization to perform action '{_action(call, place)}' over scope "
        f"'{call.path}' or the scope is invalid. If access was recently granted, please refresh "
        "your credentials.",
        GATEWAY,
    )


def _action(call: Call, place: Place) -> str:
    """The action that the call needs, as role definitions name it."""
    if place.stage == "keys":
        kind, _, name = _resource(call)
        return f"{kind}/{name}/action"
    what = "containerGroups" if place.group or place.stage == "list" else "resources"
    return f"Microsoft.ContainerInstance/{what}/{_ACTIONS.get(call.method, 'write')}"


def _transitioning(call: Call, _place: Place, _now: datetime, _options: JsonObject) -> Refusal:
    return transitioning(_name(call))


def _capacity(call: Call, _place: Place, _now: datetime, _options: JsonObject) -> Refusal:
    return Refusal(409, "ServiceUnavailable", no_capacity(as_object(call.body)))


def _quota(call: Call, _place: Place, _now: datetime, options: JsonObject) -> Refusal:
    name = as_text(options.get("quota")) or "StandardCores"
    region = region_of(as_text(dig(call.body, "location"))) or "westeurope"
    return quota_reached(name, region, limit=10, used=10, asked=1)


def _registry(call: Call, _place: Place, _now: datetime, _options: JsonObject) -> Refusal:
    host, slash, _ = _image(call).partition("/")
    registry = host if slash and "." in host else "index.docker.io"
    return Refusal(
        409,
        "RegistryErrorResponse",
        f"An error response is received from the docker registry '{registry}'. Please retry later.",
    )


def _inaccessible(call: Call, _place: Place, _now: datetime, _options: JsonObject) -> Refusal:
    return Refusal(
        400,
        "InaccessibleImage",
        f"The image '{_image(call)}' in container group '{_name(call)}' is not accessible. Please "
        "check the image and registry credential.",
    )


def _network(_call: Call, _place: Place, _now: datetime, _options: JsonObject) -> Refusal:
    # ARM's networking words; how the provider hands them on is not established.
    return Refusal(
        429,
        "AnotherOperationInProgress",
        "Another operation on this or dependent resource is in progress. To retrieve status of the "
        "operation use uri: https://management.azure.com/operations/subnet.",
        {"Retry-After": "10"},
    )


def _label(call: Call, _place: Place, _now: datetime, _options: JsonObject) -> Refusal:
    label = as_text(dig(call.body, "properties", "ipAddress", "dnsNameLabel"))
    return Refusal(
        400,
        "DnsNameLabelNotAvailable",  # guess: only the text is known (I7)
        f"The DNS name label '{label}' in container group '{_name(call)}' not available. "
        "Try using a different label.",
    )


def _unregistered(call: Call, _place: Place, _now: datetime, _options: JsonObject) -> Refusal:
    return not_registered(_names(call).get("subscriptions", ""))


_NAMED: Mapping[str, Callable[[Call, Place, datetime, JsonObject], Refusal]] = {
    "throttled": _throttled,
    "expired-token": _expired,
    "forbidden": _forbidden,
    "transitioning": _transitioning,
    "capacity": _capacity,
    "quota": _quota,
    "registry": _registry,
    "inaccessible-image": _inaccessible,
    "network-conflict": _network,
    "dns-label-taken": _label,
    "not-registered": _unregistered,
}


def _names(call: Call) -> dict[str, str]:
    """What each keyword of the path names, such as `containergroups` → `web`."""
    parts = call.path.strip("/").split("/")
    return dict(zip((part.lower() for part in parts[::2]), parts[1::2], strict=False))


def _resource(call: Call) -> tuple[str, str, str]:
    """The type and name of the resource that a path acts on, and what it does."""
    parts = call.path.strip("/").split("/")
    return f"{parts[-4]}/{parts[-3]}", parts[-2], parts[-1]


def _name(call: Call) -> str:
    return _names(call).get("containergroups", "unknown")


def _image(call: Call) -> str:
    items = objects(dig(call.body, "properties", "containers"))
    return as_text(dig(items[0], "properties", "image")) if items else ""
