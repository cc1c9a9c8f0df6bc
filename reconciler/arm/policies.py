"""What happens to each request on its way: an identity, a gate, retries of reads alone, a log."""

from __future__ import annotations

import logging
import re
from typing import Any
from urllib.parse import urlsplit

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import (
    ContentDecodePolicy,
    CustomHookPolicy,
    HTTPPolicy,
    RequestIdPolicy,
    RetryPolicy,
    SansIOHTTPPolicy,
    UserAgentPolicy,
)
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy

from reconciler import __version__
from reconciler.arm.answers import left_in, request_id_of, retry_after_of
from reconciler.arm.credentials import SignIn
from reconciler.core.cloud import Gate, Kind, Ration

logger = logging.getLogger(__name__)

_READS = ("GET", "HEAD")
# A longer wait is told to the caller, who can say so instead of standing still.
_LONGEST_WAIT_S = 60.0
# Where a gate waits, which says so, a refused read goes out again so often and after so long.
_REFUSALS = 5
_LONGEST_REFUSAL_S = 300.0
# The keyword of an operation of the SDK that names the region a write is counted in.
REGION = "rationed_in"
# The keyword of a request that only reads, whatever its method is.
CHANGES_NOTHING = "changes_nothing"
_KINDS = {"GET": Kind.READ, "HEAD": Kind.READ, "DELETE": Kind.DELETE}
_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)", re.IGNORECASE)


class RetryReads(RetryPolicy):  # type: ignore[misc]  # the SDK's types are not followed
    """Repeats a read that failed, a few times; a write goes out once.

    azure-core repeats every request whose refusal has a `Retry-After`, and POST and PATCH after a
    500, 503 or 504, whatever methods it is given. Whether such a write took effect is not known:
    a PUT sent again restarts every container again. A read tells, and that is not decided here.
    """

    def __init__(self, *, is_gated: bool = False) -> None:
        super().__init__(
            retry_total=3, retry_connect=3, retry_read=3, retry_status=3, retry_backoff_factor=0.2
        )
        self._is_gated = is_gated

    def send(self, request: PipelineRequest) -> PipelineResponse:
        """The response of the last attempt."""
        is_harmless = bool(request.context.options.pop(CHANGES_NOTHING, False))
        if not is_harmless and request.http_request.method.upper() not in _READS:
            return self.next.send(request)
        response, waited_s = self._repeated(request), 0.0
        for _ in range(_REFUSALS if self._is_gated else 0):
            waited_s += retry_after_of(response.http_response) or 0.0
            if response.http_response.status_code != 429 or waited_s > _LONGEST_REFUSAL_S:
                break
            response = self._repeated(request)  # once the gate lets it
        return response

    def _repeated(self, request: PipelineRequest) -> PipelineResponse:
        # The SDK takes the keyword away each time.
        request.context.options["retry_on_methods"] = frozenset({request.http_request.method})
        return super().send(request)

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse) -> bool:
        """Whether to read again, waiting as long as Azure says."""
        if self._is_gated and response.http_response.status_code == 429:
            return False  # all wait for that, at the gate
        wait = retry_after_of(response.http_response)
        return (wait is None or wait <= _LONGEST_WAIT_S) and bool(
            super().is_retry(settings, response)
        )


class Rationed(HTTPPolicy):  # type: ignore[misc]  # the SDK's types are not followed
    """Asks the gate before each attempt and tells it what the answer says of the rations.

    Outside the authentication, for a token may expire while a request waits.
    """

    def __init__(self, gate: Gate | None) -> None:
        super().__init__()
        self._gate = gate

    def send(self, request: PipelineRequest) -> PipelineResponse:
        """The response, once the request may go out."""
        region = str(request.context.options.pop(REGION, ""))
        ration = _ration_of(request, region)
        if self._gate is None or ration is None:
            return self.next.send(request)
        number, left = self._gate.enter(ration), None
        try:
            response = self.next.send(request)
            left = left_in(response.http_response, ration.kind)
        finally:
            self._gate.leave(ration, number, left)
        return response


def _ration_of(request: PipelineRequest, region: str) -> Ration | None:
    """What a request is counted in; None where it is in no subscription."""
    method = request.http_request.method.upper()
    found = _SUBSCRIPTION.match(urlsplit(request.http_request.url).path)
    if found is None:
        return None
    return Ration(
        subscription=found[1].lower(),
        kind=_KINDS.get(method, Kind.WRITE),
        region=region.replace(" ", "").lower(),
    )


class RequestLog(SansIOHTTPPolicy):  # type: ignore[misc]  # the SDK's types are not followed
    """A line for each attempt: never a body, a header or a query, all of which may hold secrets."""

    def on_response(self, request: PipelineRequest, response: PipelineResponse) -> None:
        """Log what was answered."""
        answer = response.http_response
        logger.debug(
            "%s %s: %s, request id %s",
            request.http_request.method,
            urlsplit(request.http_request.url).path,
            answer.status_code,
            request_id_of(answer) or "none",
        )

    def on_exception(self, request: PipelineRequest) -> None:
        """Log that nothing was answered; why is in the error that is raised."""
        logger.debug(
            "%s %s: no answer",
            request.http_request.method,
            urlsplit(request.http_request.url).path,
        )


def policies_for(sign_in: SignIn, *, decode: bool, gate: Gate | None = None) -> list[Any]:
    """The policies of one client, outermost first: a client must not share them with another.

    What the SDK adds by itself and is left out on purpose: following redirects (ARM sends none),
    logging of headers and bodies, and registering the resource provider unasked, which is a write
    to the subscription. `decode` is for the SDK's operations, which cannot do without.
    """
    authenticate = (
        [ARMChallengeAuthenticationPolicy(sign_in.credential, sign_in.scope)]
        if sign_in.credential
        else []
    )
    return [
        RequestIdPolicy(),
        UserAgentPolicy(base_user_agent=f"aci-reconcile/{__version__}"),
        *([ContentDecodePolicy()] if decode else []),
        CustomHookPolicy(),
        RetryReads(is_gated=gate is not None),
        Rationed(gate),
        *authenticate,
        RequestLog(),
    ]
