"""A plan document read back: the report that it was written from."""

from __future__ import annotations

import json
from datetime import datetime

from reconciler.core.binding import AsOf, Binding
from reconciler.core.category import Category
from reconciler.core.diff import ChangeKind, Origin
from reconciler.core.drift import Untold
from reconciler.core.evidence import Seen, Standing
from reconciler.core.finding import Finding, Mark, Position, Severity
from reconciler.core.ids import GroupId, ResourceGroupId, Target
from reconciler.core.jsonval import Json, JsonObject, as_list, as_object, as_text
from reconciler.core.mask import ABSENT, HIDDEN, Shown
from reconciler.core.plan import ActionKind, Rail
from reconciler.core.properties import Effect
from reconciler.errors import ExitCode
from reconciler.report.shape import (
    ActionRow,
    DriftRow,
    DriftView,
    FieldRow,
    OrphanRow,
    Report,
    ReportKind,
)


def report_of(document: JsonObject) -> Report:
    """The report in a document of the kind Plan, which has to be valid by its schema.

    Raises:
        ValueError: a time in it is none.
    """
    environment = document.get("environment")
    return Report(
        kind=ReportKind.PLAN,
        command=as_text(document.get("command")),
        exit_code=ExitCode(_whole(document.get("exitCode"))),
        environment=environment if isinstance(environment, str) else None,
        owner=as_text(document.get("owner")),
        subscription=as_text(document.get("subscription")),
        digest=as_text(document.get("digest")),
        binding=_binding(document),
        is_complete=document.get("complete") is True,
        actions=tuple(_action(as_object(one)) for one in as_list(document.get("actions"))),
        orphans=tuple(_orphan(as_object(one)) for one in as_list(document.get("orphans"))),
        rails=tuple(_rail(as_object(one)) for one in as_list(document.get("rails"))),
        notes=_texts(document.get("notes")),
        findings=tuple(_finding(as_object(one)) for one in as_list(document.get("findings"))),
        drift=_drift(as_object(document["drift"])) if "drift" in document else None,
        as_of=_as_of(as_object(document["snapshot"])) if "snapshot" in document else None,
    )


def _as_of(row: JsonObject) -> AsOf:
    taken = row.get("takenAt")
    when = datetime.fromisoformat(as_text(taken)) if taken is not None else None
    return AsOf(file=as_text(row.get("file")), taken=when)


def _drift(row: JsonObject) -> DriftView:
    return DriftView(
        rows=tuple(_drift_row(as_object(one)) for one in as_list(row.get("found"))),
        fail_on=tuple(Category(name) for name in _texts(row.get("failOn"))),
        untold=tuple(
            Untold(
                says=as_text(one.get("says")),
                concerns=frozenset(Category(name) for name in _texts(one.get("concerns"))),
            )
            for one in map(as_object, as_list(row.get("untold")))
        ),
        seen=tuple(
            Seen(
                address=as_text(one.get("address")),
                standing=Standing(as_text(one.get("standing"))),
                ip=as_text(one.get("ip")),
                restarts=_whole(one.get("restarts")),
            )
            for one in map(as_object, as_list(row.get("seen")))
        ),
        told=_texts(row.get("told")),
        event=as_text(row.get("event")),
    )


def _drift_row(row: JsonObject) -> DriftRow:
    return DriftRow(
        target=_target(row),
        category=Category(as_text(row.get("category"))),
        says=as_text(row.get("says")),
        key=as_text(row.get("key")),
        is_certain=row.get("certain") is True,
        counts=row.get("counts") is True,
    )


def _binding(document: JsonObject) -> Binding | None:
    if "planId" not in document:
        return None
    compared = as_object(document.get("secretsCompared"))
    return Binding(
        plan_id=as_text(document.get("planId")),
        created=datetime.fromisoformat(as_text(document.get("createdAt"))),
        expires=datetime.fromisoformat(as_text(document.get("expiresAt"))),
        options=as_object(document.get("options")),
        secrets={address: _texts(names) for address, names in compared.items()},
    )


def _action(row: JsonObject) -> ActionRow:
    containers = [as_object(one) for one in as_list(row.get("containers"))]
    return ActionRow(
        target=_target(row),
        kind=ActionKind(as_text(row.get("action"))),
        why=as_text(row.get("why")),
        origin=Origin(as_text(row.get("origin"))),
        costs=_texts(row.get("costs")),
        notes=_texts(row.get("notes")),
        allow=as_text(row.get("allow")),
        after=_texts(row.get("after")),
        fields=tuple(
            _field(as_object(one), as_text(row.get("file"))) for one in as_list(row.get("changes"))
        ),
        containers=tuple(
            (as_text(one.get("name")), Shown(as_text(one.get("image")))) for one in containers
        ),
        restarts=_whole(row.get("restarts")),
        is_moving=row.get("inTransition") is True,
        blocks=row.get("blocks") is True,
        trouble=as_text(row.get("trouble")),
        file=as_text(row.get("file")),
        line=_whole(row.get("line")) or 1,
        column=_whole(row.get("column")) or 1,
        desired=as_text(row.get("desiredFingerprint")),
        live=as_text(row.get("liveFingerprint")),
    )


def _target(row: JsonObject) -> Target:
    """What an address and a name say together: the name alone has the case as written."""
    subscription = as_text(row.get("address")).partition("/")[0]
    home, _, name = as_text(row.get("name")).partition("/")
    if as_text(row.get("type")) == "group":
        return GroupId(subscription=subscription, resource_group=home, name=name)
    return ResourceGroupId(subscription=subscription, name=home)


def _field(row: JsonObject, file: str) -> FieldRow:
    where = _position(as_object(row.get("where")))
    is_sensitive = row.get("sensitive") is True
    before, after = row.get("before"), row.get("after")
    return FieldRow(
        pointer=as_text(row.get("pointer")),
        kind=ChangeKind(as_text(row.get("change"))),
        effect=Effect[as_text(row.get("effect")).upper()],
        origin=Origin(as_text(row.get("origin"))),
        before=HIDDEN if is_sensitive else _shown(before),
        after=HIDDEN if is_sensitive else _shown(after),
        is_sensitive=is_sensitive,
        is_partly_hidden=row.get("partlyHidden") is True,
        among=_texts(row.get("oneOrMoreOf")),
        old=before,
        new=after,
        where=where,
        patch=where if where is not None and where.file != file else None,
    )


def _position(row: JsonObject) -> Position | None:
    if not row:
        return None
    mark = Mark(_whole(row.get("line")) or 1, _whole(row.get("column")) or 1)
    return Position(file=as_text(row.get("file")), mark=mark)


def _shown(value: Json) -> Shown:
    if value is None:
        return ABSENT
    return Shown(json.dumps(value, ensure_ascii=False, sort_keys=True))


def _orphan(row: JsonObject) -> OrphanRow:
    return OrphanRow(target=_target(row), note=as_text(row.get("note")))


def _rail(row: JsonObject) -> Rail:
    return Rail(
        rule=as_text(row.get("rule")),
        says=as_text(row.get("says")),
        allow=as_text(row.get("allow")),
        where=_position(as_object(row.get("where"))),
    )


def _finding(row: JsonObject) -> Finding:
    mark = Mark(_whole(row.get("line")), _whole(row.get("column")))
    return Finding(
        rule=as_text(row.get("rule")),
        severity=Severity(as_text(row.get("severity"))),
        where=Position(file=as_text(row.get("file")), mark=mark),
        path=as_text(row.get("path")),
        says=as_text(row.get("says")),
        hint=as_text(row.get("hint")),
        link=as_text(row.get("link")),
    )


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(as_text(one) for one in as_list(value))


def _whole(value: Json) -> int:
    return value if isinstance(value, int) else 0
