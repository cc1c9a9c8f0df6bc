"""What happens to each request on its way: an identity, retries of reads alone, a line of log."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import (
    ContentDecodePolicy,
    CustomHookPolicy,
    RequestIdPolicy,
    RetryPolicy,
    SansIOHTTPPolicy,
    UserAgentPolicy,
)
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy

from reconciler import __version__
from reconciler.arm.answers import request_id_of, retry_after_of
from reconciler.arm.credentials import SignIn

logger = logging.getLogger(__name__)

_READS = ("GET", "HEAD")
# A longer wait is told to the caller, who can say so instead of standing still.
_LONGEST_WAIT_S = 60.0


class RetryReads(RetryPolicy):  # type: ignore[misc]  # the SDK's types are not followed
    """Repeats a read that failed, a few times; a write goes out once.

    azure-core repeats every request whose refusal has a `Retry-After`, and POST and PATCH after a
    500, 503 or 504, whatever methods it is given. Whether such a write took effect is not known:
    a PUT sent again restarts every container again. A read tells, and that is not decided here.
    """

    def __init__(self) -> None:
        super().__init__(
            retry_total=3, retry_connect=3, retry_read=3, retry_status=3, retry_backoff_factor=0.2
        )

    def send(self, request: PipelineRequest) -> PipelineResponse:
        """The response of the last attempt."""
        if request.http_request.method.upper() not in _READS:
            return self.next.send(request)
        return super().send(request)

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse) -> bool:
        """Whether to read again, waiting as long as Azure says."""
        wait = retry_after_of(response.http_response)
        return (wait is None or wait <= _LONGEST_WAIT_S) and bool(
            super().is_retry(settings, response)
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


def policies_for(sign_in: SignIn, *, decode: bool) -> list[Any]:
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
        RetryReads(),
        *authenticate,
        RequestLog(),
    ]
