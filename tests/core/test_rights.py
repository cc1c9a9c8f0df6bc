"""What roles allow, and what a run needs of them."""

from __future__ import annotations

import pytest

from reconciler.core.diagnosis import Identity, Purpose, State
from reconciler.core.rights import Need, allows, needs_of, rights_check

WRITE = "Microsoft.ContainerInstance/containerGroups/write"
READ = "Microsoft.ContainerInstance/containerGroups/read"
WHO = Identity(credential="az login", principal="oid-1")


def row(*actions: str, but: tuple[str, ...] = ()) -> dict[str, list[str]]:
    return {"actions": [*actions], "notActions": [*but]}


@pytest.mark.parametrize(
    ("rows", "allowed"),
    [
        ([row("*")], True),
        ([row("*/read")], False),
        ([row("microsoft.containerinstance/CONTAINERGROUPS/*")], True),
        ([row("Microsoft.ContainerInstance/*/write")], True),
        ([row("*", but=("Microsoft.ContainerInstance/*",))], False),
        ([row("*", but=("*/write",)), row("*/write")], True),  # another assignment gives it
        ([row("Microsoft.ContainerInstance/containerGroups/writes")], False),
        ([row("Microsoft.ContainerInstance.containerGroups/write")], False),
        ([row("")], False),
        ([], False),
        ([None, 7, "*", {"actions": "*"}, {"actions": [None, 3]}], False),
    ],
)
def test_a_row_allows_its_actions_without_its_not_actions(rows: list, allowed: bool) -> None:
    assert allows(rows, WRITE) is allowed


def needs(purpose: Purpose, *, present: tuple[str, ...] = (), absent: tuple[str, ...] = ()) -> set:
    found = needs_of([], subscription="s", present=present, absent=absent, purpose=purpose)
    return {
        (need.scope, need.action.rpartition("Microsoft.")[2], need.is_essential) for need in found
    }


def test_planning_needs_reading_alone() -> None:
    actions = {action for _, action, _ in needs(Purpose.PLAN, present=("rg",), absent=("new",))}

    assert actions
    assert {action for action in actions if not action.endswith("/read")} == set()


def test_a_resource_group_that_is_to_be_made_needs_rights_on_the_subscription() -> None:
    found = needs(Purpose.APPLY, absent=("new",))

    assert ("/subscriptions/s", "Resources/subscriptions/resourceGroups/write", True) in found
    assert {scope for scope, _, _ in found} == {"/subscriptions/s"}


def test_what_is_missing_names_the_role_the_principal_and_the_scope() -> None:
    here = [
        Need(scope="/subscriptions/s/resourceGroups/rg", action=READ, role="Reader"),
        Need(scope="/subscriptions/s/resourceGroups/rg", action=WRITE, role="Contributor"),
    ]

    check = rights_check(here[0].scope, here, [row("*/read")], WHO)

    assert check.state is State.FAILED
    assert check.says == f"rg: lacks {WRITE}"
    assert check.fix == (
        "az role assignment create --assignee-object-id oid-1 --assignee-principal-type"
        ' ServicePrincipal --role "Contributor" --scope /subscriptions/s/resourceGroups/rg'
    )


def test_what_a_run_can_do_without_is_a_warning() -> None:
    here = [Need(scope="/subscriptions/s", action=READ, role="Reader", is_essential=False)]

    assert rights_check("/subscriptions/s", here, [], WHO).state is State.WARNING
    assert rights_check("/subscriptions/s", here, [row("*")], WHO).state is State.OK


def test_of_several_missing_roles_the_widest_is_enough() -> None:
    here = needs_of([], subscription="s", present=[], absent=["new"], purpose=Purpose.APPLY)

    check = rights_check("/subscriptions/s", here, [], WHO)

    assert '--role "Contributor" --scope /subscriptions/s' in check.fix
