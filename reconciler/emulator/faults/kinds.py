"""The table of faults: what each is, where it is played, which options it has.

An option's value is told by a small JSON Schema; the parser, the published schema and the document
all read it from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.emulator.jsonval import Json, JsonObject

TEXT: JsonObject = {"type": "string"}
WHOLE: JsonObject = {"type": "integer", "minimum": 1, "maximum": 1_000_000}
# At most a year: nothing that is computed from it can overflow.
SECONDS: JsonObject = {"type": "number", "minimum": 0, "maximum": 31_536_000}
# What HTTP takes in a header, but for those that frame the answer: they are the server's.
_HEADERS: JsonObject = {
    "type": "object",
    "description": (
        "an object of texts that may stand in HTTP headers, without Content-Length,"
        " Transfer-Encoding and Connection"
    ),
    "propertyNames": {
        "type": "string",
        "pattern": (
            "^(?!([Cc]ontent-[Ll]ength|[Tt]ransfer-[Ee]ncoding|[Cc]onnection)$)[A-Za-z0-9_-]+$"
        ),
    },
    "additionalProperties": {"type": "string", "pattern": "^([!-~]([ -~]*[!-~])?)?$"},
}
_FLAG: JsonObject = {"type": "boolean"}
_STATUS: JsonObject = {"type": "integer", "minimum": 200, "maximum": 599}
_CODE: JsonObject = {"type": "integer", "minimum": 0, "maximum": 255}
_ANY: JsonObject = {}

_ANSWER: Mapping[str, JsonObject] = {
    "status": _STATUS,
    "code": TEXT,
    "message": TEXT,
    "headers": _HEADERS,
    "retryAfter": SECONDS,
    "body": _ANY,
    "afterEffect": _FLAG,
}
_WORKLOAD: Mapping[str, JsonObject] = {"container": TEXT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A fault. `stages` are its own: with `bound` it can be played at no other."""

    means: str
    options: Mapping[str, JsonObject] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    bound: bool = False

    @property
    def is_answer(self) -> bool:
        """Whether it is an answer in place of the service's own."""
        return "status" in self.options


def _answer(means: str, *stages: str, **more: JsonObject) -> Kind:
    return Kind(means=means, options={**_ANSWER, **more}, stages=stages)


def _workload(means: str, *needs: str, **more: JsonObject) -> Kind:
    return Kind(
        means=means, options={**_WORKLOAD, **more}, needs=needs, stages=("put",), bound=True
    )


def _words(*values: str) -> JsonObject:
    choices: list[Json] = list(values)
    return {"enum": choices}


KINDS: Mapping[str, Kind] = {
    "status": Kind(
        means="an HTTP status, with Azure's usual body and headers",
        options=_ANSWER,
        needs=("status",),
    ),
    "reset": Kind(
        means="the connection is reset without an answer", options={"afterEffect": _FLAG}
    ),
    "no-answer": Kind(
        means="nothing is answered until the client gives up, or for some seconds",
        options={"afterEffect": _FLAG, "seconds": SECONDS},
    ),
    "slow": Kind(
        means="the call is carried out at once and answered late",
        options={"seconds": SECONDS},
        needs=("seconds",),
    ),
    "operation": Kind(
        means="the write is taken, and its operation does not end well",
        options={
            "ends": _words("Failed", "Canceled", "never"),
            "code": TEXT,
            "message": TEXT,
            "event": TEXT,
            "timeout": SECONDS,
        },
        needs=("ends",),
        stages=("put", "start", "restart", "delete"),
        bound=True,
    ),
    "throttled": _answer("429, with the seconds to wait in Retry-After"),
    "transitioning": _answer(
        "409: another write of the group is under way", "put", "patch", "delete", "start", "stop"
    ),
    "expired-token": _answer("401: the token has expired"),
    "forbidden": _answer("403: the identity lacks the permission"),
    "capacity": _answer("409: the region has no room for the group", "put"),
    "quota": _answer("409: the subscription's quota is used up", "put", quota=TEXT),
    "registry": _answer("409: the image's registry answers with an error", "put"),
    "inaccessible-image": _answer("400: the image is not there, or not for this group", "put"),
    "network-conflict": _answer("429: another group of the subnet is being changed", "put"),
    "dns-label-taken": _answer("400: another group of the region holds the DNS label", "put"),
    "not-registered": _answer("409: the subscription has not registered the provider", "put"),
    "crash-loop": _workload("its containers end with an error again and again", code=_CODE),
    "exits": _workload("its containers end with this exit code", "code", code=_CODE),
    "image-pull": _workload("its images cannot be pulled, so no container starts", message=TEXT),
    "probe": _workload(
        "its containers run, and a probe of theirs fails",
        probe=_words("liveness", "readiness"),
        message=TEXT,
    ),
    "missing-after-create": Kind(
        means="a new group is not found for a while",
        options={"reads": WHOLE, "seconds": SECONDS},
        stages=("create",),
        bound=True,
    ),
    "listed-after-delete": Kind(
        means="a deleted group stays in lists for a while",
        options={"lists": WHOLE, "seconds": SECONDS},
        stages=("delete",),
        bound=True,
    ),
    "page-fails": Kind(
        means="a later page of a list fails",
        options=_ANSWER,
        stages=("next-page",),
        bound=True,
    ),
    "empty-list": Kind(means="a list comes back empty by mistake", stages=("list",), bound=True),
}
WORKLOADS = ("crash-loop", "exits", "image-pull", "probe")
