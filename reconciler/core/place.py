"""Whether a run is where the project says: the right subscription, of the right tenant.

What this refuses cannot be allowed: whoever means it says so in the project file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from reconciler.core.binding import Reviewed
from reconciler.core.finding import Position
from reconciler.core.plan import Plan, Rail

WRONG_SUBSCRIPTION = "wrongSubscription"
WRONG_TENANT = "wrongTenant"
UNKNOWN_TENANT = "unknownTenant"
_RULES = frozenset({WRONG_SUBSCRIPTION, WRONG_TENANT, UNKNOWN_TENANT})
_NEVER = "this cannot be allowed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a run is to work. `where` is the position of each setting, by its key.

    `tenant` is empty where the project states none, and `credential`, the subscription that the
    credential itself is for, where that names none.
    """

    subscription: str
    tenant: str = ""
    credential: str = ""
    where: Mapping[str, Position] = field(default_factory=dict)

    @property
    def is_contradicted(self) -> bool:
        """Whether the credential is for another subscription."""
        return bool(self.credential) and not _same(self.credential, self.subscription)


def is_misplaced(plan: Plan) -> bool:
    """Whether it was refused before anything was looked at."""
    return any(rail.rule in _RULES for rail in plan.rails)


def wrong_credential(place: Place) -> Rail | None:
    """The credential is for another subscription than the project; None where it is not."""
    if not place.is_contradicted:
        return None
    says = (
        f"the file named by AZURE_AUTH_LOCATION is for subscription {place.credential}, the"
        f" project says {place.subscription}"
    )
    way_out = "use the credential that belongs to this environment, or correct 'subscription'"
    return _rail(place, WRONG_SUBSCRIPTION, "subscription", says, way_out)


def wrong_tenant(place: Place, tenant: str) -> Rail | None:
    """The subscription belongs to another tenant than the project says; None where it does not."""
    if _same(tenant, place.tenant):
        return None
    says = (
        f"subscription {place.subscription} belongs to tenant {tenant}, the project says"
        f" {place.tenant}"
    )
    way_out = "correct 'subscription' or 'tenant': one of them is of another environment"
    return _rail(place, WRONG_TENANT, "tenant", says, way_out)


def unknown_tenant(place: Place, why: str) -> Rail:
    """The project says a tenant, and nobody would tell which one the subscription belongs to."""
    says = (
        f"the project says tenant {place.tenant}, and which one subscription"
        f" {place.subscription} belongs to cannot be told: {why}"
    )
    way_out = (
        "check the identity and its tenant, and let it do Microsoft.Resources/subscriptions/read,"
        " which the role Reader holds; or leave 'tenant' out"
    )
    return _rail(place, UNKNOWN_TENANT, "tenant", says, way_out)


def made_elsewhere(reviewed: Reviewed, subscription: str, place: Place | None) -> Rail:
    """A plan was written down for another subscription than the project names now."""
    named = f"environment '{reviewed.environment}'" if reviewed.environment else "the project"
    says = (
        f"{reviewed.file} is for subscription {reviewed.subscription}, {named} says {subscription}"
    )
    way_out = "plan again, and have it reviewed; or give the project its subscription back"
    known = place or Place(subscription=subscription)
    return _rail(known, WRONG_SUBSCRIPTION, "subscription", says, way_out)


def _rail(place: Place, rule: str, setting: str, says: str, way_out: str) -> Rail:
    where = place.where.get(setting)
    written = f" ({where})" if where is not None else ""
    return Rail(rule=rule, says=f"{says}{written}: {_NEVER}", allow=way_out, where=where)


def _same(one: str, other: str) -> bool:
    return one.lower() == other.lower()
