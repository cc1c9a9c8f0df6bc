"""Nothing is looked at, and nothing written, where the project does not say that it lives."""

from __future__ import annotations

from reconciler.app.asked import Azure, Wanted
from reconciler.core.place import unknown_tenant, wrong_credential, wrong_tenant
from reconciler.core.plan import Plan, Rail
from reconciler.errors import AuthenticationFailed, Forbidden, NotFound, PlanRefused
from reconciler.execute.observe import Observed, observe

# The answer to a token of one tenant in a subscription of another (azure-facts B.1).
_ANOTHER_TENANT = "invalidauthenticationtokentenant"


def misplaced(wanted: Wanted, azure: Azure) -> Rail | None:
    """Why the run is in the wrong place, None where it is not; one request, if a tenant is stated.

    Raises:
        AzureError: Azure could not be asked.
    """
    place = wanted.place
    if place is None:
        return None
    if (rail := wrong_credential(place)) is not None or not place.tenant:
        return rail
    try:
        tenant = azure.cloud.tenant(place.subscription)
    except (Forbidden, NotFound) as exc:
        return unknown_tenant(place, str(exc))
    except AuthenticationFailed as exc:
        if (exc.code or "").lower() != _ANOTHER_TENANT:
            raise
        return unknown_tenant(place, str(exc))
    return wrong_tenant(place, tenant)


def unseen(wanted: Wanted, rail: Rail) -> Plan:
    """The plan of a run in the wrong place: Azure was not looked at."""
    return Plan(
        owner=wanted.owner,
        subscription=wanted.subscription,
        actions=(),
        rails=(rail,),
        notes=("Azure was not looked at",),
        is_complete=False,
    )


def seen(wanted: Wanted, azure: Azure) -> Observed:
    """Everything in scope, without instance views.

    Raises:
        PlanRefused: the run is in the wrong place.
        AzureError: something could not be read.
    """
    if (rail := misplaced(wanted, azure)) is not None:
        raise PlanRefused(f"{rail.rule}: {rail.says}", hint=rail.allow)
    return observe(azure.cloud, wanted.scope)
