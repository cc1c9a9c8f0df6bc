"""The judgements of `doctor` on who asks, where, and what the provider offers there. Pure.

Source: azure-facts A.8 and B.2 for the provider; ARM's REST reference for subscriptions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from reconciler.core.diagnosis import Answered, Check, Identity, State, from_error
from reconciler.core.jsonval import Json, JsonObject, as_list, as_object, as_text
from reconciler.errors import AzureError

_SHORT_S = 600  # a token that ends within a run of ten minutes
_SKEW_S = 30
_WORST_SKEW_S = 300  # Microsoft Entra refuses assertions and tokens beyond five minutes
_FEW_READS = 50  # of a bucket that holds 250 or more (F.4)
_WELL = "enabled"
_DOUBTFUL = ("warned", "pastdue")  # reads work, writes end soon


def credential_check(identity: Identity, now: datetime) -> Check:
    """Who asks, by which credential, and for how long."""
    if not identity.credential:
        says = "none is needed: plain http on this machine"
        return Check(name="credential", state=State.OK, says=says)
    who = identity.name or identity.principal or "an identity that its token does not name"
    says = f"{identity.credential}: {'user' if identity.is_person else 'principal'} {who}"
    if identity.expires is not None:
        left_s = (identity.expires - now).total_seconds()
        says += f", token until {identity.expires:%H:%M} UTC"
        if left_s <= 0:
            fix = "set the clock of this machine: the token has just been given"
            return Check(name="credential", state=State.FAILED, says=f"{says}: over", fix=fix)
        if left_s < _SHORT_S:
            fix = "sign in again before a long run"
            return Check(name="credential", state=State.WARNING, says=says, fix=fix)
    return Check(name="credential", state=State.OK, says=says)


def subscription_check(subscription: str, answered: Answered) -> Check:
    """Whether the subscription is there and takes writes."""
    if answered.error is not None:
        return from_error("subscription", answered.error)
    state, title = as_text(answered.body.get("state")), as_text(answered.body.get("displayName"))
    says = f"{subscription} '{title}' is {state or 'in no known state'}"
    if state.lower() == _WELL:
        return Check(name="subscription", state=State.OK, says=says)
    is_doubtful = state.lower() in _DOUBTFUL
    return Check(
        name="subscription",
        state=State.WARNING if is_doubtful else State.FAILED,
        says=says,
        fix=f"its owner has to look at it: az account show --subscription {subscription}",
    )


def tenant_check(stated: str, identity: Identity, answered: Answered) -> Check | None:
    """Whether the subscription is of the tenant it should be; None where nothing can be told."""
    actual = as_text(answered.body.get("tenantId"))
    if not actual:
        return None
    if stated and stated.lower() != actual.lower():
        says = f"the subscription belongs to {actual}, the project says {stated}"
        fix = "correct 'defaults: {tenant: …}' or 'subscription' in the project file"
        return Check(name="tenant", state=State.FAILED, says=says, fix=fix)
    if identity.tenant and identity.tenant.lower() != actual.lower():
        says = f"the subscription belongs to {actual}, the token is of {identity.tenant}"
        fix = f"az login --tenant {actual}"
        return Check(name="tenant", state=State.WARNING, says=says, fix=fix)
    says = f"{actual}, as the project says" if stated else actual
    return Check(name="tenant", state=State.OK, says=says)


def clock_check(date: datetime | None, now: datetime) -> Check | None:
    """How far this machine's clock is from Azure's; None where no answer told."""
    if date is None:
        return None
    skew_s = (now - date).total_seconds()
    says = f"{abs(skew_s):.0f} s {'ahead of' if skew_s > 0 else 'behind'} Azure"
    if abs(skew_s) <= _SKEW_S:
        return Check(name="clock", state=State.OK, says=f"within {_SKEW_S} s of Azure's")
    state = State.FAILED if abs(skew_s) > _WORST_SKEW_S else State.WARNING
    return Check(name="clock", state=state, says=says, fix="timedatectl set-ntp true")


def ration_check(reads_left: int | None) -> Check | None:
    """How many reads are left; None where no answer told."""
    if reads_left is None:
        return None
    says = f"{reads_left} reads of the subscription left"
    if reads_left >= _FEW_READS:
        return Check(name="requests", state=State.OK, says=says)
    fix = "wait some minutes, or find out who else asks: runs slow down by themselves"
    return Check(name="requests", state=State.WARNING, says=says, fix=fix)


def provider_checks(
    provider: JsonObject, *, version: str, regions: Iterable[str], subscription: str
) -> tuple[Check, ...]:
    """Whether the provider is registered, offers `version`, and is in each region."""
    namespace = as_text(provider.get("namespace"))
    state = as_text(provider.get("registrationState"))
    if state.lower() != "registered":
        registers = f"az provider register --namespace {namespace} --subscription {subscription}"
        says = f"{namespace} is {state or 'in no known state'}"
        fix = "wait until it is Registered" if state.lower() == "registering" else registers
        registered = Check(name="provider", state=State.FAILED, says=says, fix=fix)
    else:
        registered = Check(name="provider", state=State.OK, says=f"{namespace} is {state}")
    offered = _offered(provider)
    return (registered, *_version(offered, version), *_regions(offered, regions))


def _offered(provider: JsonObject) -> JsonObject:
    for item in as_list(provider.get("resourceTypes")):
        kind = as_object(item)
        if as_text(kind.get("resourceType")).lower() == "containergroups":
            return kind
    return {}


def _version(offered: JsonObject, version: str) -> tuple[Check, ...]:
    known = [as_text(item) for item in as_list(offered.get("apiVersions"))]
    if not known or version in known:
        return ()
    says = f"API version {version} is not offered; the newest is {max(known)}"
    fix = "update aci-reconcile, or work in a cloud that offers it"
    return (Check(name="provider", state=State.FAILED, says=says, fix=fix),)


def _regions(offered: JsonObject, regions: Iterable[str]) -> tuple[Check, ...]:
    known = {_folded(as_text(item)) for item in as_list(offered.get("locations"))}
    if not known:
        return ()
    strange = [region for region in regions if _folded(region) not in known]
    return tuple(
        Check(
            name="region",
            state=State.FAILED,
            says=f"{region} takes no container groups",
            fix="az provider show -n Microsoft.ContainerInstance"
            " --query \"resourceTypes[?resourceType=='containerGroups'].locations\"",
        )
        for region in strange
    )


def headroom_check(region: str, usages: Sequence[Json]) -> Check | None:
    """What is left of the quotas of a region that are used at all; None where none is told."""
    lines = []
    for item in usages:
        usage = as_object(item)
        name = as_text(as_object(usage.get("name")).get("value"))
        used, limit = _number(usage, "currentValue"), _number(usage, "limit")
        if name and limit > 0:
            lines.append(f"{name} {used:f} of {limit:f}")
    if not lines:
        return None
    return Check(name="quota", state=State.OK, says=f"{region}: {', '.join(lines)}")


def failed_or(error: AzureError | None, name: str, checks: Iterable[Check | None]) -> list[Check]:
    """The checks that could be made, or the one that says why none could."""
    if error is not None:
        return [from_error(name, error)]
    return [one for one in checks if one is not None]


def _number(usage: Mapping[str, Json], name: str) -> Decimal:
    value = usage.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return Decimal(str(value)).normalize() if is_number else Decimal(0)


def _folded(region: str) -> str:
    return region.replace(" ", "").lower()
