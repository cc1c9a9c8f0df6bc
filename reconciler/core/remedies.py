"""What each error of Azure means for a write, and for people: one table, read by everybody.

Source: azure-facts B and F.4, and ARM's documentation of its network provider for the conflicts of
subnets. What no row knows is given up: an unforeseen refusal is never answered by another write.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from reconciler.errors import AzureError, ProvisioningFailed, Unavailable, Unreachable


class Course(Enum):
    """What to do about a write that was answered so.

    `RETRY`: it was refused for sure, and may be sent again after a pause. `SETTLE`: the group is
    still changing; wait until it is not, compare, then send again. `REREAD`: it may have been
    carried out, and only a GET can tell. `GIVE_UP`: no repetition helps.
    """

    RETRY = "retry"
    SETTLE = "settle"
    REREAD = "re-read"
    GIVE_UP = "give up"


class Cause(Enum):
    """What stands behind an error, for code that treats some of them in a way of its own."""

    RATION = "ration"
    TRANSITION = "transition"
    CAPACITY = "capacity"
    QUOTA = "quota"
    REGISTRY = "registry"
    NETWORK = "network"
    LABEL = "label"
    SIGN_IN = "sign-in"
    PERMISSION = "permission"
    PROVIDER = "provider"
    HOME = "resource group"
    UPDATE = "update"
    REQUEST = "request"
    SERVICE = "service"
    LOST = "no answer"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """What is done about an error.

    The first repetition comes `delay_s` seconds later, or when `Retry-After` says; each further one
    after twice the pause, up to a minute. `attempts` is how many there are at most.
    """

    cause: Cause
    course: Course = Course.GIVE_UP
    delay_s: float = 0.0
    attempts: int = 0
    hint: str = ""

    def pause_s(self, attempt: int, *, scale: float, asked_s: float | None) -> float:
        """Seconds before repetition number `attempt`, from 0.

        `scale` shrinks what is ours, `asked_s` is Azure's Retry-After.
        """
        pause_s: float = min(self.delay_s * 2.0**attempt, _LONGEST_S) * scale
        return max(pause_s, min(asked_s or 0.0, _LONGEST_ASKED_S))


_LONGEST_S = 60.0
_LONGEST_ASKED_S = 3600.0  # the longest window of a ration (F.4)

SIGN_IN = (
    "run 'az login', or set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET,"
    " or AZURE_AUTH_LOCATION"
)
_REGISTRY = "check the image name and its tag, and imageRegistryCredentials"
_ROLE = (
    "the identity needs a role there, such as 'Azure Container Instances Contributor Role'"
    " on the resource group"
)
_LATER = "try again later"

_RATION = Remedy(
    cause=Cause.RATION,
    course=Course.RETRY,
    delay_s=10,
    attempts=20,
    hint="Azure rations requests: run again later, or with a lower --parallelism",
)
_TRANSITION = Remedy(
    cause=Cause.TRANSITION,
    course=Course.SETTLE,
    delay_s=10,
    attempts=10,
    hint="wait until the operation under way has ended, then run again",
)
_CAPACITY = Remedy(
    cause=Cause.CAPACITY,
    hint="try again later, or ask for less CPU and memory or for another region",
)
_QUOTA = Remedy(
    cause=Cause.QUOTA,
    hint=(
        "remove groups that are no longer needed, use another region, or ask for a higher quota"
        " ('az container list' shows what is there)"
    ),
)
_LABEL = Remedy(cause=Cause.LABEL, hint="choose another dnsNameLabel: it is taken in this region")
_IMAGE = Remedy(cause=Cause.REGISTRY, hint=_REGISTRY)
_RATIONED_REGISTRY = Remedy(
    cause=Cause.REGISTRY,
    course=Course.RETRY,
    delay_s=20,
    attempts=3,
    hint=f"the registry refused or is rationing; {_REGISTRY}, try again later",
)
_NETWORK = Remedy(
    cause=Cause.NETWORK,
    course=Course.RETRY,
    delay_s=15,
    attempts=12,
    hint="another operation changes the same subnet: run again when it is over",
)
_EXPIRED = Remedy(cause=Cause.SIGN_IN, course=Course.RETRY, delay_s=2, attempts=2, hint=SIGN_IN)
_PROVIDER = Remedy(
    cause=Cause.PROVIDER,
    hint="run 'az provider register --namespace Microsoft.ContainerInstance' once and wait",
)
_NO_HOME = Remedy(
    cause=Cause.HOME,
    course=Course.RETRY,  # ARM's regions may lag behind one that was created a moment ago
    delay_s=3,
    attempts=4,
    hint="declare the resource group in a manifest, or create it first",
)
_PERMISSION = Remedy(cause=Cause.PERMISSION, hint=_ROLE)
_SERVICE = Remedy(cause=Cause.SERVICE, course=Course.REREAD, delay_s=5, attempts=3, hint=_LATER)
_LOST = Remedy(
    cause=Cause.LOST,
    course=Course.REREAD,
    delay_s=3,
    attempts=2,
    hint="try again; it may have taken effect all the same",
)
_UNREACHABLE = Remedy(
    cause=Cause.LOST,
    course=Course.RETRY,
    delay_s=3,
    attempts=4,
    hint="check the network, the proxy and the endpoint",
)
_OTHER = Remedy(cause=Cause.OTHER)


def _request(hint: str) -> Remedy:
    return Remedy(cause=Cause.REQUEST, hint=hint)


_ELSEWHERE = "choose one of the regions that are named"

# Sections B.1 to B.4.
_CODES = {
    "ResourceRequestsThrottled": _RATION,
    "SubscriptionRequestsThrottled": _RATION,
    "TooManyRequests": _RATION,
    "ContainerGroupTransitioning": _TRANSITION,
    "ServiceUnavailable": _CAPACITY,
    "InsufficientCapacity": _CAPACITY,
    "ContainerGroupQuotaReached": _QUOTA,
    "QuotaExceeded": _QUOTA,
    "InaccessibleImage": _IMAGE,
    "RegistryErrorResponse": _RATIONED_REGISTRY,
    "OsVersionNotSupported": _request("choose an image of an OS version that Azure runs"),
    "DnsNameLabelNotAvailable": _LABEL,
    "AnotherOperationInProgress": _NETWORK,
    "RetryableError": _NETWORK,
    "ReferencedResourceNotProvisioned": _NETWORK,
    "SubnetIsLocked": _NETWORK,
    "ExpiredAuthenticationToken": _EXPIRED,
    "InvalidAuthenticationTokenTenant": Remedy(
        cause=Cause.SIGN_IN, hint="the identity is of another tenant: sign in to this one"
    ),
    "AuthorizationFailed": _PERMISSION,
    "LinkedAuthorizationFailed": _PERMISSION,
    "RequestDisallowedByPolicy": Remedy(
        cause=Cause.PERMISSION, hint="an Azure Policy of the subscription forbids it"
    ),
    "MissingSubscriptionRegistration": _PROVIDER,
    "SubscriptionNotRegistered": _PROVIDER,
    "ResourceGroupNotFound": _NO_HOME,
    "ResourceGroupBeingDeleted": Remedy(
        cause=Cause.HOME, hint="wait until the resource group is gone, then run again"
    ),
    "InvalidContainerGroupUpdate": Remedy(
        cause=Cause.UPDATE, hint="Azure refuses the change in place: plan it with --replace NAME"
    ),
    "LocationNotAvailableForResourceType": _request(_ELSEWHERE),
    "NoRegisteredProviderFound": _request(_ELSEWHERE),
    "InvalidResourceLocation": _request(
        "the group exists in another region: delete it, or keep its region"
    ),
    "SubscriptionNotFound": _request(
        "check the subscription id, the cloud and the identity's tenant"
    ),
    "InvalidSubscriptionId": _request("check the subscription id"),
    "GatewayTimeout": _LOST,
    "InternalServerError": _SERVICE,
}
_BY_CODE = {code.lower(): remedy for code, remedy in _CODES.items()}
# Where the code is not known from evidence, or is shared by several causes (B.2, B.3). The message
# of a spent quota also comes under the code of a lack of capacity; with HTTP 429 a quota is one of
# requests, which fills up again.
_BY_MESSAGE = (
    (re.compile(r"dns name label .* not available", re.IGNORECASE), _LABEL),
    (re.compile(r"\bquota\b.*\bexceeded\b|\bexceed\w*\b.*\bquota\b", re.IGNORECASE), _QUOTA),
)
_BY_STATUS = {
    401: _EXPIRED,
    403: _PERMISSION,
    408: _LOST,
    413: _request("Azure takes only small bodies: shorten secret volumes and commands"),
    429: _RATION,
    500: _SERVICE,
    502: _LOST,
    503: _SERVICE,
    504: _LOST,
}


def remedy_for(*, status: int | None, code: str, message: str) -> Remedy:
    """What the table says of an answer; `status` is None where it is an operation's end."""
    known = _BY_CODE.get(code.lower().rstrip("."))
    if known in (None, _CAPACITY) and status != 429:
        for pattern, remedy in _BY_MESSAGE:
            if pattern.search(message):
                return remedy
    if known is _CAPACITY and status is not None and status >= 500:
        known = None  # a gateway's own 503 goes by the same name as a lack of capacity (B.2)
    if known is not None:
        return known
    if status is not None and status >= 500:
        return _BY_STATUS.get(status, _SERVICE)
    return _BY_STATUS.get(status or 0, _OTHER)


def remedy_of(error: AzureError) -> Remedy:
    """What to do about a write that ended in `error`."""
    if isinstance(error, Unreachable):
        return _UNREACHABLE
    found = remedy_for(status=error.status, code=error.code or "", message=error.says)
    if isinstance(error, ProvisioningFailed):
        return Remedy(cause=found.cause, hint=found.hint)  # it was taken: nothing is sent again
    if isinstance(error, Unavailable) and found.course is Course.GIVE_UP:
        return _LOST  # no answer, or one that was no answer of ARM's
    return found


def rows() -> Iterable[tuple[str, Remedy]]:
    """The table, as `code or HTTP status, remedy`, for the documentation and its test."""
    yield from _CODES.items()
    yield from ((str(status), remedy) for status, remedy in _BY_STATUS.items())
