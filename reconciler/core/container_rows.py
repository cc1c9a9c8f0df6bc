"""What is known of containers and init containers."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.property import (
    READ,
    REPLACE_DOC,
    UPDATE_DOC,
    UPDATE_INF,
    WRITE,
    Access,
    Effect,
    Fold,
    Property,
    row,
)


def _environment(root: str) -> Iterator[Property]:
    variables = f"{root}/environmentVariables"
    yield row(variables, key=("name",), source="C.2 #6 [R]: omitted reads back as []")
    yield row(f"{variables}/*", source=UPDATE_DOC)
    yield row(f"{variables}/*/name", source="C.3 [R]: echo")
    yield row(f"{variables}/*/value", private=True, source=f"C.3 [R]: echo; {UPDATE_DOC}")
    yield row(
        f"{variables}/*/secureValue",
        access=Access.WRITE_ONLY,
        instead=("value",),
        source=f"{WRITE}, #16; {UPDATE_DOC}",
    )


def _mounts(root: str) -> Iterator[Property]:
    mounts = f"{root}/volumeMounts"
    yield row(mounts, key=("mountPath",), source="G24 [INF]: one mount a path; C.3 [R]: echo")
    yield row(f"{mounts}/*", source=UPDATE_DOC)
    yield row(f"{mounts}/*/name", source="C.3 [R]: echo")
    yield row(f"{mounts}/*/mountPath", source="C.3 [R]: echo")
    yield row(
        f"{mounts}/*/readOnly",
        default=False,
        source="C.3 [R]: echo, also false; C.6: absent is false",
    )


def _security(root: str) -> Iterator[Property]:
    context = f"{root}/securityContext"
    yield row(context, source=f"C.3 [R]: echo; {UPDATE_INF}")
    yield row(f"{context}/allowPrivilegeEscalation", source="C.3 [R]: echo")
    yield row(f"{context}/capabilities", source="C.3 [R]: echo, also {}")
    yield row(f"{context}/capabilities/add", source="C.3 [INF]: echo, values never recorded")
    yield row(f"{context}/capabilities/drop", source="C.3 [INF]: echo, values never recorded")
    yield row(f"{context}/privileged", source="G20 [D]; C.3 [R]: echo")
    yield row(f"{context}/runAsGroup", source="I12 [INF]: echo, never recorded")
    yield row(f"{context}/runAsUser", source="I12 [INF]: echo, never recorded")
    yield row(f"{context}/seccompProfile", source="I12 [INF]: echo, never recorded")


def _probe(root: str) -> Iterator[Property]:
    yield row(root, source=f"C.3 [R]: echo, nothing added; {UPDATE_DOC}")
    yield row(f"{root}/exec", source="C.3 [R]: echo")
    yield row(f"{root}/exec/command", private=True, source="C.3 [R]: echo")
    yield row(f"{root}/httpGet", source="C.3 [R]: echo")
    yield row(f"{root}/httpGet/path", private=True, source="C.3 [R]: echo")
    yield row(f"{root}/httpGet/port", source="C.3 [R]: echo")
    yield row(
        f"{root}/httpGet/scheme",
        fold=Fold.CASE,
        values=("http", "https"),
        source="C.3 [C]: lower case stays lower case",
    )
    yield row(f"{root}/httpGet/httpHeaders", key=("name",), source="C.3 [R]: echo")
    yield row(f"{root}/httpGet/httpHeaders/*", source=UPDATE_DOC)
    yield row(f"{root}/httpGet/httpHeaders/*/name", source="C.3 [R]: echo")
    yield row(f"{root}/httpGet/httpHeaders/*/value", private=True, source="C.3 [R]: echo")
    for number in (
        "initialDelaySeconds",
        "periodSeconds",
        "failureThreshold",
        "successThreshold",
        "timeoutSeconds",
    ):
        yield row(f"{root}/{number}", source="C.3 [R]: omitted stays absent")


def containers() -> Iterator[Property]:
    """Containers, with their probes and ports."""
    root = "properties/containers/*/properties"
    yield row(
        "properties/containers",
        key=("name",),
        source="G2 [S]: names are unique; C.6 [INF]: order means nothing",
    )
    yield row(
        "properties/containers/*", source="D.2 [INF]: in place unless the requests' sum moves"
    )
    yield row("properties/containers/*/name", source="C.3 [R]: echo")
    yield row(root, source=UPDATE_DOC)
    yield row(f"{root}/image", source=f"C.1 [R]: echo, tags are not resolved; {UPDATE_DOC}")
    yield row(f"{root}/command", private=True, source=f"C.3 [R]: echo, [] is absent; {UPDATE_DOC}")
    yield row(
        f"{root}/ports", key=("port", "protocol"), source="C.2 #5 [R]; D.2 [D]: in place since 2019"
    )
    yield row(f"{root}/ports/*", source="D.2 [D]: in place since about 2019")
    yield row(f"{root}/ports/*/port", source="C.3 [R]: echo")
    yield row(
        f"{root}/ports/*/protocol",
        default="TCP",
        fold=Fold.CASE,
        values=("TCP", "UDP"),
        source="C.3 [R]: omitted stays absent, means TCP (C.6)",
    )
    yield from _environment(root)
    yield row(f"{root}/instanceView", access=Access.READ_ONLY, source=READ)
    yield from _resources(f"{root}/resources")
    yield from _mounts(root)
    yield from _probe(f"{root}/livenessProbe")
    yield from _probe(f"{root}/readinessProbe")
    yield from _security(root)


def _resources(root: str) -> Iterator[Property]:
    replace = Effect.REPLACE
    yield row(root, source="G3 [S]: required")
    yield row(f"{root}/requests", source="G3 [S]: required")
    yield row(
        f"{root}/requests/cpu", effect=replace, source=f"C.3 [R]: echo as double; {REPLACE_DOC}"
    )
    yield row(
        f"{root}/requests/memoryInGB",
        effect=replace,
        source=f"C.3 [R]: echo as double; {REPLACE_DOC}",
    )
    yield row(f"{root}/requests/gpu", effect=replace, source=REPLACE_DOC)
    yield row(f"{root}/requests/gpu/count", effect=replace, source=REPLACE_DOC)
    yield row(
        f"{root}/requests/gpu/sku",
        effect=replace,
        fold=Fold.CASE,
        values=("K80", "P100", "V100"),
        source=REPLACE_DOC,
    )
    limits = "C.3 [R]: echo; D.2 [C]: updatable, Terraform's acceptance test passed"
    yield row(f"{root}/limits", source=limits)
    yield row(f"{root}/limits/cpu", source=limits)
    yield row(f"{root}/limits/memoryInGB", source=limits)
    yield row(f"{root}/limits/gpu", source=f"S; {UPDATE_INF}")
    yield row(f"{root}/limits/gpu/count", source=f"S; {UPDATE_INF}")
    yield row(
        f"{root}/limits/gpu/sku",
        fold=Fold.CASE,
        values=("K80", "P100", "V100"),
        source=f"S; {UPDATE_INF}",
    )


def init_containers() -> Iterator[Property]:
    """Init containers: fewer members, and their order matters."""
    root = "properties/initContainers/*/properties"
    yield row(
        "properties/initContainers",
        key=("name",),
        ordered=True,
        source=f"C.2 #4 [R]: omitted reads back as []; E.2 [D]: run in list order; {UPDATE_INF}",
    )
    yield row("properties/initContainers/*", source=UPDATE_INF)
    yield row("properties/initContainers/*/name", source="C.3 [R]: echo")
    yield row(root, source=UPDATE_INF)
    yield row(f"{root}/image", source=f"C.3 [R]: echo; {UPDATE_INF}")
    yield row(f"{root}/command", private=True, source=f"C.3 [R]: echo; {UPDATE_INF}")
    yield row(f"{root}/instanceView", access=Access.READ_ONLY, source=READ)
    yield from _environment(root)
    yield from _mounts(root)
    yield from _security(root)
