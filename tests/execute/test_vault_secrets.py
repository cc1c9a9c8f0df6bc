"""Following references into vaults: each read once, and a reason for each that leads nowhere."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from reconciler.core.groups import DesiredGroup, SecretState
from reconciler.core.references import HeldKeys, KeyHolder, VaultReference
from reconciler.errors import LocalStateUnusable, NotFound
from reconciler.execute.secrets import Sources, resolved
from reconciler.manifest import load_desired, open_project
from tests.conftest import Repository, group


class Kept:
    """A vault as a function, which remembers what it was asked."""

    def __init__(self, answer: Callable[[VaultReference], str]) -> None:
        self.asked: list[VaultReference] = []
        self._answer = answer
        self._lock = threading.Lock()

    def secret(self, reference: VaultReference) -> str:
        with self._lock:
            self.asked.append(reference)
        return self._answer(reference)


class Nobody:
    """Stands for Azure Resource Manager where it is not to be asked."""

    def keys(self, holder: KeyHolder) -> HeldKeys:
        raise AssertionError(f"asked for the keys of {holder}")


def of(vaults: Kept) -> Sources:
    return Sources(keys=Nobody(), vaults=vaults)


def refer(name: str, vault: str = "kv-shop", **more: str) -> dict:
    return {"fromKeyVault": {"vault": vault, "secret": name, **more}}


def variables(*references: dict) -> list[dict]:
    return [{"name": f"V{n}", "secureValue": one} for n, one in enumerate(references)]


@pytest.fixture
def loaded(repository: Repository) -> Callable[..., tuple[DesiredGroup, ...]]:
    def load(*manifests: dict) -> tuple[DesiredGroup, ...]:
        repository.write(*manifests)
        project, _ = open_project([], cwd=repository.root, environment=None)
        desired = load_desired(project, [], environ={"SET": "from the environment"})
        assert desired.errors == ()
        return desired.groups

    return load


def test_each_distinct_secret_is_read_once(loaded) -> None:
    vaults = Kept(lambda reference: f"{reference.secret} {reference.version}")
    groups = loaded(
        group("a", env=variables(refer("db"), refer("db"), refer("DB"), refer("db", "KV-Shop"))),
        group("b", env=variables(refer("db"), refer("db", version="v1"), refer("other"))),
    )

    first, second = resolved(groups, of(vaults), workers=4)

    assert sorted((one.secret, one.version) for one in vaults.asked) == [
        ("db", ""),
        ("db", "v1"),
        ("other", ""),
    ]
    assert [secret.value for secret in first.secrets] == ["db "] * 4
    assert [secret.value for secret in second.secrets] == ["db ", "db v1", "other "]
    assert {secret.state for secret in (*first.secrets, *second.secrets)} == {SecretState.KNOWN}


def test_several_are_read_at_once(loaded) -> None:
    together = threading.Barrier(4, timeout=10)

    def answer(reference: VaultReference) -> str:
        together.wait()
        return reference.secret

    groups = loaded(group("a", env=variables(*(refer(f"s{n}") for n in range(4)))))

    (one,) = resolved(groups, of(Kept(answer)), workers=4)

    assert [secret.value for secret in one.secrets] == ["s0", "s1", "s2", "s3"]


def test_what_lies_elsewhere_is_left_as_it_is(loaded) -> None:
    vaults = Kept(lambda _reference: "read")
    groups = loaded(group("a", env=variables({"fromEnv": "SET"})), group("b"))

    assert resolved(groups, of(vaults), workers=4) == groups
    assert vaults.asked == []


@pytest.mark.parametrize(
    "error",
    [
        NotFound("gone", status=404, code="SecretNotFound", request_id="r-1"),
        LocalStateUnusable("the library is missing", hint="install it"),
    ],
    ids=["refused", "no library"],
)
def test_one_that_cannot_be_read_has_the_reason_and_the_others_their_values(loaded, error) -> None:
    def answer(reference: VaultReference) -> str:
        if reference.secret == "gone":
            raise error
        return "there"

    groups = loaded(group("a", env=variables(refer("gone"), refer("there"))))

    gone, there = resolved(groups, of(Kept(answer)), workers=2)[0].secrets

    assert (gone.state, gone.value) == (SecretState.UNRESOLVED, None)
    assert str(error) in gone.reason
    assert (there.state, there.value, there.reason) == (SecretState.KNOWN, "there", "")


def test_an_empty_value_is_none(loaded) -> None:
    groups = loaded(group("a", env=variables(refer("db"))))

    (secret,) = resolved(groups, of(Kept(lambda _: "")), workers=1)[0].secrets

    assert (secret.state, secret.value) == (SecretState.UNRESOLVED, None)
    assert "got an empty one" in secret.reason


def test_a_bug_of_ours_is_not_taken_for_a_missing_secret(loaded) -> None:
    def answer(_reference: VaultReference) -> str:
        raise KeyError("bug")

    with pytest.raises(KeyError):
        resolved(loaded(group("a", env=variables(refer("db")))), of(Kept(answer)), workers=1)


@pytest.mark.parametrize(
    ("more", "value", "sent"),
    [
        ({}, "aHVudGVyMg==", "aHVudGVyMg=="),
        ({}, "no base64!", None),
        ({"encode": "base64"}, "no base64!", "bm8gYmFzZTY0IQ=="),
        ({"encode": "base64"}, "ž", "xb4="),
    ],
)
def test_a_secret_volume_is_sent_base64(loaded, more, value, sent) -> None:
    volume = {"name": "v", "secret": {"k": {**refer("file"), **more}}}
    groups = loaded(group("a", volumes=[volume]))

    (secret,) = resolved(groups, of(Kept(lambda _: value)), workers=1)[0].secrets

    assert secret.value == sent
    if sent is None:
        assert secret.state is SecretState.UNRESOLVED
        assert "encode: base64" in secret.reason
        assert value not in secret.reason
