"""What must hold for any manifests, drawn by Hypothesis and carried out over HTTP."""

from __future__ import annotations

import json
import shutil
import uuid
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.core.ownership import OWNER_TAG
from reconciler.core.plan import ActionKind
from reconciler.emulator import Emulator
from tests.conftest import Repository, Time, ended, group, kinds, task

PLENTY_OF_TIME = settings(
    max_examples=15,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

NAMES = ("api", "db", "job", "web")
WORD = st.text("abcXYZ019-_.éß漢 ", min_size=1, max_size=12).map(str.strip).filter(bool)
IMAGE = st.sampled_from(["nginx", "nginx:1.27", "acme.azurecr.io/web@sha256:" + "0" * 64])


@st.composite
def containers(draw: st.DrawFn, name: str) -> dict:
    names = draw(st.lists(st.sampled_from(["A", "B", "C"]), unique=True, max_size=3))
    env = [
        {"name": one, "value": draw(WORD)}
        if draw(st.booleans())
        else {"name": one, "secureValue": {"fromEnv": "SECRET"}}
        for one in names
    ]
    properties: dict = {
        "image": draw(IMAGE),
        "resources": {"requests": {"cpu": draw(st.sampled_from([1, 1.5, 2])), "memoryInGB": 1}},
    }
    if env:
        properties["environmentVariables"] = env
    if draw(st.booleans()):
        properties["ports"] = [{"port": 80}, {"port": 443, "protocol": "TCP"}]
    if draw(st.booleans()):
        properties["volumeMounts"] = [
            {"name": "scratch", "mountPath": "/work", "readOnly": draw(st.booleans())}
        ]
    if draw(st.booleans()):
        properties["livenessProbe"] = {
            "httpGet": {
                "path": "/",
                "port": 80,
                "scheme": draw(st.sampled_from(["http", "https"])),
            },
            "periodSeconds": draw(st.integers(1, 60)),
        }
    return {"name": name, "properties": properties}


@st.composite
def manifests(draw: st.DrawFn, name: str) -> dict:
    if draw(st.booleans()):
        made = task(name, tags=draw(st.dictionaries(st.sampled_from(["team", "tier"]), WORD)))
    else:
        made = group(name, tags=draw(st.dictionaries(st.sampled_from(["team", "tier"]), WORD)))
        number = draw(st.integers(1, 2))
        made["properties"]["containers"] = [draw(containers(f"c{n}")) for n in range(number)]
    made["properties"]["volumes"] = [{"name": "scratch", "emptyDir": {}}]
    reconcile: dict = {"replace": "allow", "wait": {"for": "provisioned"}}
    reconcile |= {"protect": True} if draw(st.integers(0, 5)) == 0 else {}
    return {**made, "reconcile": reconcile}


@st.composite
def sets(draw: st.DrawFn) -> dict[str, dict]:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, min_size=1))
    return {name: draw(manifests(name)) for name in names}


def fresh(emulator: Emulator, root: Path) -> Repository:
    """A repository of its own for one example."""
    repository = Repository(
        root=root / uuid.uuid4().hex,
        emulator=emulator,
        subscription=str(uuid.uuid4()),
        environ={"SECRET": "hunter2-canary"},
        clock=Time(),
    )
    repository.project(policy={"maxReplaces": 99, "maxDeletes": 99, "maxDeletePercent": 100})
    repository.given_home()
    return repository


def holding(repository: Repository, wanted: dict[str, dict]) -> None:
    """Let the repository hold these manifests and no others."""
    for path in repository.root.glob("*.yaml"):
        if path.stem in NAMES:
            path.unlink()
    repository.write(*wanted.values())


@PLENTY_OF_TIME
@given(wanted=sets(), data=st.data())
def test_after_an_apply_there_is_nothing_to_do(
    emulator: Emulator, tmp_path: Path, wanted: dict[str, dict], data: st.DataObject
) -> None:
    repository = fresh(emulator, tmp_path)
    holding(repository, wanted)

    run = repository.apply()
    again = repository.plan()

    assert set(ended(run).values()) == {"succeeded"}, run
    assert set(kinds(again).values()) == {"no-op"}, again
    _reordered(repository, data)
    assert set(kinds(repository.plan()).values()) == {"no-op"}
    repository.close()
    shutil.rmtree(repository.root)


def _reordered(repository: Repository, data: st.DataObject) -> None:
    """Write the same manifests in another order of files, documents and keys."""
    found = [json.loads(p.read_text()) for p in repository.root.glob("*.yaml") if p.stem in NAMES]
    holding(repository, {})
    shuffled = data.draw(st.permutations([_backwards(one) for one in found]))
    repository.file("all.yml", "\n---\n".join(json.dumps(one) for one in shuffled))


def _backwards(value: object) -> object:
    if isinstance(value, dict):
        return {key: _backwards(value[key]) for key in reversed(value)}
    if isinstance(value, list):
        return [_backwards(item) for item in value]
    return value


def protected(wanted: dict[str, dict]) -> set[str]:
    return {name for name, one in wanted.items() if one["reconcile"].get("protect")}


@PLENTY_OF_TIME
@given(before=sets(), after=sets(), drifted=st.lists(st.sampled_from(NAMES), unique=True))
def test_an_apply_converges_from_any_state_or_says_what_it_refuses(
    emulator: Emulator,
    tmp_path: Path,
    before: dict[str, dict],
    after: dict[str, dict],
    drifted: list[str],
) -> None:
    repository = fresh(emulator, tmp_path)
    holding(repository, before)
    repository.apply()
    for name in set(drifted) & set(before):
        repository.set_image(name, "theirs:hotfix")
    holding(repository, after)

    planned = repository.plan(prune=True)

    done = {kind: {a.target.name for a in planned.actions if a.kind is kind} for kind in ActionKind}
    assert not done[ActionKind.DELETE] & protected(before)
    assert not done[ActionKind.REPLACE] & protected(after)
    assert done[ActionKind.REFUSE] <= protected(before) | protected(after)
    if not planned.is_blocked:
        run = repository.carry_out(planned)
        assert set(ended(run).values()) <= {"succeeded"}, run
        assert set(kinds(repository.plan(prune=True)).values()) <= {"no-op"}
        assert repository.names == sorted(after)
    repository.close()
    shutil.rmtree(repository.root)


@PLENTY_OF_TIME
@given(
    theirs=sets(),
    ours=sets(),
    owners=st.lists(st.sampled_from(["theirs", "shop/prod", "Shop"]), min_size=4, max_size=4),
)
def test_no_group_of_another_owner_is_ever_written(
    emulator: Emulator,
    tmp_path: Path,
    theirs: dict[str, dict],
    ours: dict[str, dict],
    owners: list[str],
) -> None:
    repository = fresh(emulator, tmp_path)
    for (name, manifest), owner in zip(theirs.items(), owners, strict=False):
        plain = group(name, tags=manifest.get("tags"))
        repository.given(plain, tags={**plain.get("tags", {}), OWNER_TAG: owner})
    before = {name: repository.live(name) for name in theirs}
    holding(repository, ours)
    foreign = sorted(set(ours) & set(theirs))

    planned = repository.plan(prune=True, adopt=tuple(foreign), replace=tuple(foreign), exclude=())
    if not planned.is_blocked:
        repository.carry_out(planned)
    elif set(ours) - set(theirs):
        repository.apply(prune=True, exclude=tuple(foreign))

    assert sorted(one.target.name for one in planned.refusals) == foreign
    assert not {w.partition(" ")[2] for w in repository.writes} & set(theirs)
    assert {name: repository.live(name) for name in theirs} == before
    repository.close()
    shutil.rmtree(repository.root)
