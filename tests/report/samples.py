"""Reports of every kind, made of values: what the golden files and the properties render."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from reconciler.core.category import COUNTED, Category
from reconciler.core.diff import SECRETS, ChangeKind, Diff, FieldChange, Origin
from reconciler.core.drift import Drift, DriftFinding, Untold
from reconciler.core.finding import Finding, Mark, Position, Severity
from reconciler.core.groups import DesiredGroup, GroupPolicy, LiveGroup, Secret, SecretState
from reconciler.core.ids import GroupId, ResourceGroupId
from reconciler.core.outcome import Outcome, Status, TaskLog, Trouble
from reconciler.core.plan import Action, ActionKind, Orphan, Plan, Rail
from reconciler.core.properties import Effect
from reconciler.errors import ExitCode
from reconciler.report.rows import (
    Report,
    StatusLine,
    apply_report,
    drift_report,
    findings_report,
    plan_report,
    status_report,
)
from reconciler.report.shape import ContainerRow, EventRow

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
PLANTED = "hunter2-planted-secret"
CONTAINER = ("properties", "containers", "web", "properties")
VARIABLES = (*CONTAINER, "environmentVariables")
NOT_COMPARED = "secrets not compared: set ACI_RECONCILE_SECRET_KEY to see a rotated one"


def at(file, line, column):
    return Position(file=file, mark=Mark(line, column))


def group_id(name, resource_group="rg-shop-prod"):
    return GroupId(subscription=SUBSCRIPTION, resource_group=resource_group, name=name)


def body(*containers):
    found = {name: {"properties": {"image": image}} for name, image in containers}
    return {"location": "westeurope", "properties": {"containers": found}}


def desired(name, *containers, secrets=()):
    canonical = body(*(containers or (("web", "acme.azurecr.io/web:1.10"),)))
    return DesiredGroup(
        id=group_id(name),
        body={},
        canonical=canonical,
        tags={},
        secrets=secrets,
        policy=GroupPolicy(),
        where=at(f"groups/{name}.yaml", 1, 1),
    )


def live(name, *, provisioning="Succeeded", state="", resource_group="rg-shop-prod"):
    return LiveGroup(
        id=group_id(name, resource_group),
        body={},
        canonical=body(("web", "acme.azurecr.io/web:1.9")),
        tags={},
        provisioning=provisioning,
        state=state,
        containers=(),
    )


def secret(path):
    return Secret(
        path=(),
        name=path,
        state=SecretState.KNOWN,
        where=at("groups/web.yaml", 3, 3),
        value=PLANTED,
    )


def change(path, before, after, effect=Effect.UPDATE, origin=Origin.CONFIG, **more):
    kind = ChangeKind.CHANGED
    if before is None or after is None:
        kind = ChangeKind.ADDED if before is None else ChangeKind.REMOVED
    return FieldChange(
        path=path, kind=kind, effect=effect, before=before, after=after, origin=origin, **more
    )


def action(kind, name, why, **more):
    return Action(kind=kind, target=group_id(name), why=why, **more)


def rotated(name):
    return FieldChange(
        path=(*VARIABLES, name, "secureValue"),
        kind=ChangeKind.CHANGED,
        effect=Effect.UPDATE,
        sensitive=True,
        origin=Origin.CONFIG,
    )


CREATE_GROUP = Action(
    kind=ActionKind.CREATE,
    target=ResourceGroupId(subscription=SUBSCRIPTION, name="rg-jobs-prod"),
    why="no such resource group",
)
CREATE = action(
    ActionKind.CREATE,
    "api",
    "no such group",
    after=(group_id("db").address,),
    desired=desired("api", ("api", "acme.azurecr.io/api:2.0"), ("proxy", "docker.io/envoy:1.30")),
    notes=(
        "/properties/containers/api/properties/environmentVariables/KEY/secureValue is not resolved here: the variable API_KEY is not set",
    ),
)
UPDATE = action(
    ActionKind.UPDATE,
    "web",
    "image, LOG_LEVEL, PORT and 4 more can change in place",
    desired=desired("web", secrets=(secret("/x"),)),
    live=live("web"),
    origin=Origin.CONFIG,
    costs=("restarts 1 container", "IP address may change", "data in emptyDir scratch lost"),
    notes=(NOT_COMPARED,),
    diff=Diff(
        changes=(
            change((*CONTAINER, "command"), None, ["serve", "--password", PLANTED, "--port=80"]),
            rotated("DB_PASSWORD"),
            change(
                (*VARIABLES, "DATABASE_URL", "value"),
                f"postgres://app:{PLANTED}@db/shop",
                "postgres://db/shop",
            ),
            change((*VARIABLES, "LOG_LEVEL", "value"), "debug", "info", origin=Origin.DRIFT),
            change((*VARIABLES, "OLD_TOKEN", "value"), PLANTED, None, origin=Origin.UNKNOWN),
            change((*CONTAINER, "image"), "acme.azurecr.io/web:1.9", "acme.azurecr.io/web:1.10"),
            change(("tags", "team"), None, "shop", Effect.TAGS),
        )
    ),
)
TAGS = action(
    ActionKind.PATCH_TAGS,
    "cache",
    "only tags differ",
    desired=desired("cache"),
    live=live("cache"),
    origin=Origin.DRIFT,
    costs=("nothing restarts",),
    diff=Diff(
        changes=(change(("tags", "cost-center"), "4711", "4712", Effect.TAGS, Origin.DRIFT),)
    ),
)
REPLACE = action(
    ActionKind.REPLACE,
    "worker",
    "restartPolicy cannot change in place (inferred, see 'explain')",
    desired=desired("worker"),
    live=live("worker"),
    origin=Origin.BOTH,
    costs=("deleted and created again, down meanwhile", "IP address changes"),
    diff=Diff(
        changes=(
            change(
                ("properties", "containers", "side"),
                {
                    "properties": {
                        "image": "side:1",
                        "environmentVariables": {
                            "A": {"value": "1"},
                            "API_KEY": {"value": PLANTED},
                        },
                    }
                },
                None,
                Effect.UPDATE,
                Origin.UNKNOWN,
            ),
            change(
                ("properties", "restartPolicy"),
                "Always",
                "OnFailure",
                Effect.REPLACE,
                Origin.UNKNOWN,
            ),
        )
    ),
)
DELETE = action(
    ActionKind.DELETE,
    "legacy-cron",
    "ours, and no manifest names it",
    live=live("legacy-cron"),
    costs=("gone for good, with its IP address and logs",),
)
ADOPT = action(
    ActionKind.ADOPT,
    "metrics",
    "has no owner and equals the manifest",
    desired=desired("metrics"),
    live=live("metrics"),
    notes=("secrets not compared until the next write",),
)
REFUSE = action(
    ActionKind.REFUSE,
    "billing",
    "owned by 'payments/prod', not by 'shop/prod'",
    desired=desired("billing"),
    live=live("billing"),
    allow="let 'payments/prod' give it up, or take it out of the manifests",
)
DIFFERS = action(
    ActionKind.REFUSE,
    "import",
    "has no owner and differs: /properties/containers/web/properties/image",
    desired=desired("import"),
    live=live("import"),
    allow="make the manifest equal, or consent with --adopt rg-shop-prod/import",
    diff=Diff(
        changes=(change((*CONTAINER, "image"), "nginx:1.26", "nginx:1.27", origin=Origin.UNKNOWN),)
    ),
)
UNCHANGED = tuple(
    action(
        ActionKind.NO_OP,
        name,
        "equal",
        desired=desired(name),
        live=live(name),
        notes=(NOT_COMPARED,),
    )
    for name in ("db", "queue", "search", "static")
)
MOVING = action(
    ActionKind.NO_OP,
    "slow",
    "in transition (provisioning state Creating): nothing is done until it settles",
    desired=desired("slow"),
    live=live("slow", provisioning="Creating"),
)
RAILS = (
    Rail(
        rule="maxReplaces",
        says="1 group to replace, the limit is 0 (aci-reconcile.yaml:12:3)",
        allow="--allow replace=1",
        where=at("aci-reconcile.yaml", 12, 3),
    ),
    Rail(
        rule="wrongSubscription", says="the project says 2222, the credential is for 1111", allow=""
    ),
)
FINDINGS = (
    Finding(
        rule="M203",
        severity=Severity.ERROR,
        where=at("groups/web.yaml", 14, 12),
        path="/properties/containers/0/properties/ports/0/port",
        says="expected a number, got a string",
        hint="80",
    ),
    Finding(
        rule="M104",
        severity=Severity.ERROR,
        where=at("groups/web.yaml", 20, 5),
        path="/properties/restartPolcy",
        says="expected a known key, got 'restartPolcy'",
        hint="restartPolicy",
    ),
    Finding(
        rule="M301",
        severity=Severity.WARNING,
        where=at("groups/db.yaml", 3, 9),
        path="",
        says="expected a pinned tag, got 'latest'",
    ),
)


def plan(*actions, **more):
    found = tuple(sorted(actions, key=lambda one: one.address))
    return Plan(owner="shop/prod", subscription=SUBSCRIPTION, actions=found, **more)


FULL = plan(
    CREATE_GROUP,
    CREATE,
    UPDATE,
    TAGS,
    REPLACE,
    DELETE,
    ADOPT,
    *UNCHANGED,
    MOVING,
    orphans=(Orphan(live=live("old-cron"), note="no manifest names it"),),
    owned=11,
    notes=("looked at the resource groups rg-shop-prod and rg-jobs-prod only",),
)
BLOCKED = plan(
    UPDATE,
    REPLACE,
    REFUSE,
    DIFFERS,
    *UNCHANGED,
    rails=RAILS,
    is_complete=False,
    owned=7,
    notes=("partial scope: orphans were not looked for, nothing is removed",),
)


START = action(
    ActionKind.START,
    "count",
    "asked to run again; it is Failed",
    costs=("starts 1 container",),
)
ENDED = action(
    ActionKind.NO_OP,
    "nightly",
    "equal, but failed: container 'nightly' ended with exit code 3",
    trouble="failed: container 'nightly' ended with exit code 3",
    notes=("run it again with --rerun rg-shop-prod/nightly",),
)
NOT_TAKEN = action(
    ActionKind.REFUSE,
    "probed",
    "Azure did not take /properties/containers/probed/properties/livenessProbe when it was "
    "written last; another write would restart the group for nothing",
    allow="change the manifest, or write it again with --retry rg-shop-prod/probed",
    blocks=False,
)
MERGED = action(
    ActionKind.UPDATE,
    "vaulted",
    "a secret can change in place",
    diff=Diff(
        changes=(
            FieldChange(
                path=SECRETS,
                kind=ChangeKind.CHANGED,
                effect=Effect.UPDATE,
                sensitive=True,
                among=tuple(f"/properties/volumes/keys/secret/{n}.pem" for n in range(30)),
                origin=Origin.CONFIG,
            ),
        )
    ),
    costs=("restarts 1 container",),
)
LIVE_STATE = plan(START, ENDED, NOT_TAKEN, MERGED, *UNCHANGED, owned=8)


def drifted(action, category, says, detail="", **more):
    key = " ".join(part for part in (action.address, category.value, detail) if part)
    return DriftFinding(target=action.target, category=category, says=says, key=key, **more)


GONE = action(ActionKind.CREATE, "mailer", "no such group", desired=desired("mailer"))
OLD_CRON = Orphan(live=live("old-cron"), note="no manifest names it")
MOVED = plan(TAGS, UPDATE, GONE, CREATE, *UNCHANGED, MOVING, orphans=(OLD_CRON,), owned=8)
DRIFT = Drift(
    findings=(
        drifted(GONE, Category.MISSING, "it is gone: it was applied in the run before"),
        drifted(TAGS, Category.CHANGED, "changed in Azure: /tags/cost-center", "5f0c2d9e1a7b3c48"),
        drifted(
            UPDATE,
            Category.CHANGED,
            "differs in /tags/team; whether Azure or the manifest moved: cannot be told, the "
            "applied commit is not known",
            "0d4f6a8b2c1e3597",
            is_certain=False,
        ),
        drifted(
            UNCHANGED[0],
            Category.CRASH_LOOPING,
            "container 'web' is in CrashLoopBackOff, restarted 12 times",
        ),
        drifted(
            replace(GONE, target=OLD_CRON.live.id),
            Category.ORPHANED,
            "ours: no manifest names it",
        ),
        drifted(UNCHANGED[2], Category.STOPPED, "it is stopped"),
        drifted(
            UNCHANGED[0],
            Category.ADDRESS_MOVED,
            "its IP address was 20.1.2.3 in the run before and is 20.1.2.4",
            "20.1.2.4",
        ),
        drifted(CREATE, Category.PENDING, "not applied yet: no such group"),
        drifted(UPDATE, Category.PENDING, f"the next apply is to update it: {UPDATE.why}"),
    ),
    untold=(
        Untold(
            says="not allowed to look at resource groups rg-closed",
            concerns=frozenset({Category.UNMANAGED}),
        ),
    ),
)


def outcome(action, status, says, **more):
    return Outcome(action=action, status=status, says=says, wrote=True, **more)


OPERATION = (
    f"https://management.azure.com/subscriptions/{SUBSCRIPTION}/providers/Microsoft."
    "ContainerInstance/locations/westeurope/operations/7a0c6c0e-0000-4000-8000-5d3f1c2b9a10"
    "?api-version=2023-05-01"
)
OUTCOMES = (
    outcome(
        TAGS, Status.SUCCEEDED, "tags patched, nothing restarted", took=timedelta(milliseconds=80)
    ),
    outcome(
        CREATE,
        Status.UNHEALTHY,
        "created, but container 'api' is in CrashLoopBackOff",
        hint="see 'aci-reconcile logs rg-shop-prod/api'",
        operation=OPERATION,
        health="1 of 2 running",
        started=datetime(2025, 1, 31, 23, 59, 59, 123456, tzinfo=UTC),
        troubles=(
            Trouble(
                container="api",
                state="Waiting, CrashLoopBackOff",
                exit_code=1,
                restarts=4,
                events=(
                    "Started: Started container api (5 times)",
                    "BackOff: Back-off restarting failed container api, which is as long as it is",
                ),
            ),
            Trouble(container="pro\x1bxy", state=""),
        ),
        took=timedelta(minutes=10, seconds=2),
        logs=(
            TaskLog(container="api", text="\x1b[31mfatal\x1b[0m: no database\r\nexit\t1\n"),
            TaskLog(container="proxy", text=""),
        ),
    ),
    outcome(CREATE_GROUP, Status.SUCCEEDED, "created in westeurope", took=timedelta(seconds=1.4)),
    outcome(
        UPDATE,
        Status.FAILED,
        "the registry said no to 'acme.azurecr.io/web:1.10'",
        hint="check that the tag exists and that the identity may pull it",
        code="InaccessibleImage",
        request_id="7a0c6c0e-0000-4000-8000-5d3f1c2b9a10",
        took=timedelta(seconds=31),
    ),
    outcome(
        REPLACE,
        Status.FAILED,
        "STRANDED: deleted and not created again: the region has no room",
        hint="the group does not exist now; repair it with 'aci-reconcile apply'",
        code="ServiceUnavailable",
        request_id="11d2a3c4-0000-4000-8000-aaaaaaaaaaaa",
        is_stranded=True,
        took=timedelta(seconds=48),
    ),
    replace(
        outcome(ADOPT, Status.STALE, "its tags changed since the plan", hint="plan again"),
        wrote=False,
    ),
    replace(
        outcome(DELETE, Status.NOT_STARTED, "waits for rg-shop-prod/worker, which did not succeed"),
        wrote=False,
    ),
)
RESTORED = (
    outcome(
        REPLACE,
        Status.FAILED,
        "the region has no room",
        code="ServiceUnavailable",
        hint="try again later, or another region",
        operation=OPERATION,
        health="1 of 1 running",
        is_restored=True,
        started=datetime(2025, 2, 1, 1, tzinfo=timezone(timedelta(hours=1))),
        took=timedelta(minutes=3),
    ),
)
TASK = action(ActionKind.CREATE, "wordcount", "no such group", desired=desired("wordcount"))
DONE = (
    outcome(
        TASK,
        Status.SUCCEEDED,
        "created, every container ended with 0",
        took=timedelta(seconds=17),
        logs=(TaskLog(container="wordcount", text="[('HAMLET', 386), ('HORATIO', 127)]\n"),),
    ),
)
STARTED = datetime(2025, 2, 1, 8, tzinfo=UTC)
LINES = (
    StatusLine(
        target=group_id("web"),
        sync="in sync",
        provisioning="Succeeded",
        state="Running",
        restarts=0,
        address="shop-web.westeurope.azurecontainer.io",
        ownership="ours",
        owner="shop/prod",
        containers=(
            ContainerRow(name="init", image="busybox:1", is_init=True, state="Terminated"),
            ContainerRow(name="web", image="nginx:1.27", state="Running", started=STARTED),
            ContainerRow(
                name="log", image="fluent/fluent-bit:3", state="Waiting", detail="Back-off"
            ),
        ),
        events=(
            EventRow(
                container="log",
                name="Failed",
                message="Failed to pull image \x1b[2J",
                is_warning=True,
                count=3,
                first=STARTED,
                last=STARTED + timedelta(minutes=2),
            ),
        ),
        seen=STARTED + timedelta(hours=5, minutes=7),
    ),
    StatusLine(
        target=group_id("a-group-with-quite-a-long-name-that-somebody-thought-was-a-good-idea"),
        sync="drifted",
        provisioning="Succeeded",
        state="Running",
        restarts=12,
        address="10.0.0.4",
        note="last event: Back-off restarting failed container web",
    ),
    StatusLine(target=group_id("api"), sync="missing"),
    StatusLine(
        target=group_id("wordcount", "rg-jobs-prod"),
        sync="in sync",
        provisioning="Succeeded",
        state="Succeeded",
        restarts=0,
    ),
)


def reports() -> dict[str, Report]:
    """Every sample by the name of its golden files."""
    return {
        "plan": plan_report(
            FULL, environment="prod", findings=FINDINGS[2:], exit_code=ExitCode.CHANGES
        ),
        "plan-blocked": plan_report(BLOCKED, environment="prod", exit_code=ExitCode.BLOCKED),
        "plan-unchanged": plan_report(plan(*UNCHANGED), environment=None, exit_code=ExitCode.DONE),
        "plan-empty": plan_report(plan(), environment=None, exit_code=ExitCode.DONE),
        "drift": drift_report(
            MOVED,
            DRIFT,
            environment="prod",
            findings=FINDINGS[2:],
            exit_code=ExitCode.CHANGES,
            fail_on=COUNTED,
            event="drift-detected",
        ),
        "drift-none": drift_report(
            plan(*UNCHANGED),
            Drift(findings=()),
            environment=None,
            exit_code=ExitCode.DONE,
            fail_on=COUNTED,
            event="heartbeat",
        ),
        # What a document of an older version holds, which tells no categories.
        "drift-older": plan_report(
            plan(TAGS, UPDATE, *UNCHANGED),
            command="drift",
            environment="prod",
            exit_code=ExitCode.CHANGES,
        ),
        "apply": apply_report(
            plan(TASK, *UNCHANGED), DONE, environment=None, exit_code=ExitCode.DONE
        ),
        "plan-live-state": plan_report(LIVE_STATE, environment="prod", exit_code=ExitCode.DONE),
        "apply-live-state": apply_report(
            LIVE_STATE,
            (
                outcome(START, Status.UNHEALTHY, "started, but container 'count' ended with 3"),
                Outcome(
                    action=NOT_TAKEN,
                    status=Status.FAILED,
                    says=NOT_TAKEN.why,
                    hint=NOT_TAKEN.allow,
                ),
                outcome(MERGED, Status.SUCCEEDED, "updated, 1 of 1 running"),
            ),
            environment="prod",
            exit_code=ExitCode.PARTIAL,
        ),
        "apply-partial": apply_report(
            FULL, OUTCOMES, environment="prod", exit_code=ExitCode.PARTIAL
        ),
        "apply-interrupted": apply_report(
            FULL,
            OUTCOMES[:3],
            environment="prod",
            interrupted=True,
            exit_code=ExitCode.INTERRUPTED,
            under_way={UPDATE.address: OPERATION, DELETE.address: ""},
        ),
        "apply-restored": apply_report(
            plan(REPLACE), RESTORED, environment=None, exit_code=ExitCode.PARTIAL
        ),
        "apply-nothing": apply_report(
            plan(*UNCHANGED), (), environment="prod", exit_code=ExitCode.DONE
        ),
        "destroy": apply_report(
            plan(DELETE),
            (outcome(DELETE, Status.SUCCEEDED, "deleted"),),
            command="destroy",
            environment="prod",
            exit_code=ExitCode.DONE,
        ),
        "validate": findings_report(FINDINGS, files=12, documents=14, exit_code=ExitCode.INVALID),
        "validate-clean": findings_report((), files=1, documents=1, exit_code=ExitCode.DONE),
        "status": status_report(
            LINES,
            exit_code=ExitCode.DONE,
            notes=("the subscription may not be listed: looked only at resource groups rg-shop",),
            findings=FINDINGS[2:],
        ),
        "status-empty": status_report((), exit_code=ExitCode.DONE),
    }
