"""Questions to ARM and how each kind of answer is read: one resource, a write, a list, a look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from reconciler.arm.addresses import followed, path_of, without_credentials
from reconciler.arm.answers import (
    Response,
    accepted_in,
    look_at_location,
    look_at_status,
    object_in,
    refusal_in,
)
from reconciler.arm.translate import clean, is_absent, refusal, translated
from reconciler.arm.wire import Wire, answer_of
from reconciler.core.cloud import Accepted, Look, Operation
from reconciler.core.jsonval import Json, JsonObject
from reconciler.errors import AzureError, NotFound, Unavailable

# 4xx that say nothing of the work: who asks, how often, and whether the operation is still known.
_NOT_ABOUT_THE_WORK = (401, 403, 404, 408, 429)


# Of hundreds of groups each: more than a subscription can hold.
_MOST_PAGES = 10_000


class Exchange:
    """One connection's questions and answers; errors name what was tried, on what."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        # What an operation may quote of the body that began it, by its URL.
        self._hidden: dict[str, Sequence[str]] = {}

    def asked(
        self,
        verb: str,
        target: str,
        operation: Callable[..., object],
        *,
        hidden: Sequence[str] = (),
    ) -> Response:
        """The 2xx answer to an operation of the SDK."""
        with translated(verb, target):
            response = answer_of(operation)
            if not 200 <= response.status_code < 300:
                raise refusal(response, verb=verb, target=target, hidden=hidden)
            return response

    def found(self, target: str, operation: Callable[..., object]) -> JsonObject | None:
        """One resource, None where Azure says that it does not exist."""
        with translated("get", target):
            try:
                return object_in(self.asked("get", target, operation))
            except NotFound as error:
                if is_absent(error):
                    return None
                raise

    def read(self, path: str, target: str) -> JsonObject:
        """What the SDK has no operation for: one object at a path of the endpoint."""
        with translated("get", target):
            response = self.wire.get(self.wire.endpoint + path)
            if response.status_code != 200:
                raise refusal(response, verb="get", target=target)
            return object_in(response)

    def told(self, path: str, target: str) -> JsonObject:
        """What a POST tells that changes nothing: secrets, which no GET shows."""
        with translated("read", target):
            response = self.wire.post_to_read(self.wire.endpoint + path)
            if response.status_code != 200:
                raise refusal(response, verb="read", target=target)
            return object_in(response)

    def written(
        self,
        verb: str,
        target: str,
        operation: Callable[..., object],
        *,
        with_body: bool = False,
        hidden: Sequence[str] = (),
    ) -> Accepted:
        """What a write was answered; `with_body` says that an object is due."""
        with translated(verb, target):
            response = self.asked(verb, target, operation, hidden=hidden)
            accepted = accepted_in(response, with_body=with_body)
            if accepted.operation is not None and hidden:
                self._hidden[accepted.operation.url] = hidden
            return accepted

    def deleted(self, target: str, operation: Callable[..., object]) -> Accepted:
        """What a deletion was answered; it is done where there was nothing."""
        try:
            return self.written("delete", target, operation)
        except NotFound as error:
            if is_absent(error):
                return Accepted(body=None, operation=None, request_id=error.request_id or "")
            raise

    def listed(self, path: str, target: str) -> list[Json]:
        """The values of all pages, or an error: what was read in part looks like absence."""
        items: list[Json] = []
        seen: set[str] = set()
        url: str | None = self.wire.endpoint + path
        with translated("list", target):
            while url is not None:
                if url in seen:
                    raise Unavailable("the pages of the list lead back to one already read")
                if len(seen) >= _MOST_PAGES:
                    raise Unavailable(f"the list does not end: {_MOST_PAGES} pages were read")
                seen.add(url)
                values, url = self._page(url, target)
                items += values
        return items

    def _page(self, url: str, target: str) -> tuple[list[Json], str | None]:
        response = self.wire.get(url)
        if response.status_code != 200:
            raise refusal(response, verb="list", target=target)
        page = object_in(response)
        values, link = page.get("value"), page.get("nextLink")
        if not isinstance(values, list) or not all(isinstance(item, dict) for item in values):
            raise Unavailable("the answer is not a list of resources", status=200)
        if not link:
            return values, None
        if not isinstance(link, str):
            raise Unavailable("the link to the next page is not a text", status=200)
        return values, self._followed(link, "the next page")

    def look(self, operation: Operation) -> Look:
        """One look at an operation, by either protocol."""
        # The path alone: the query is signed.
        target = f"operation {path_of(operation.url).rpartition('/')[2][:40]}"
        hidden = self._hidden.get(operation.url, ())
        with translated("look at", target):
            response = self.wire.get(self._followed(operation.url, "the operation"))
            if 200 <= response.status_code < 300:
                look = look_at_location if operation.is_location else look_at_status
                return _cleaned(look(response), hidden)
            if operation.is_location and _is_about_the_work(response):
                code, message = refusal_in(response)
                failed = Look(status="Failed", error_code=code, error_message=message)
                return _cleaned(failed, hidden)
            raise refusal(response, verb="look at", target=target, hidden=hidden)

    def _followed(self, url: str, what: str) -> str:
        whole = followed(url, endpoint=self.wire.endpoint)
        if whole is None:
            raise AzureError(
                f"{what} is said to be at '{without_credentials(url)}', which is not where"
                f" '{self.wire.endpoint}' keeps it: no credential is sent there"
            )
        return whole


def _is_about_the_work(response: Response) -> bool:
    status = int(response.status_code)
    return 400 <= status < 500 and status not in _NOT_ABOUT_THE_WORK


def _cleaned(look: Look, hidden: Sequence[str]) -> Look:
    return replace(
        look,
        error_code=clean(look.error_code, hidden=hidden),
        error_message=clean(look.error_message, hidden=hidden),
    )
