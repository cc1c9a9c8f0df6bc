"""What becomes of a group of ours whose definition equals its manifest, by how it is doing."""

from __future__ import annotations

from dataclasses import replace

from reconciler.core.asker import Asker
from reconciler.core.diff import Diff
from reconciler.core.groups import DesiredGroup, LiveGroup, SecretState
from reconciler.core.normalise import NORMALISER_VERSION
from reconciler.core.ownership import StateTag, desired_hash, merged_tag_keys, tag_key_digest
from reconciler.core.plan import Action, ActionKind
from reconciler.core.verdicts import no_op, patch_tags, refuse, replacement, start, update

_LOOK = "see its events with 'aci-reconcile status'"


def equal(
    desired: DesiredGroup, live: LiveGroup, found: Diff, asker: Asker, state: StateTag
) -> Action:
    """The action for a group that differs in its tags at most; `found` holds these."""
    address = desired.id.address
    if address in asker.replace:
        why = "a replacement was asked for by name"
        return replacement(desired, live, found, asker, why=why)
    if (again := run_again(desired, live, found, asker)) is not None:
        return again
    if live.has_failed and live.state in ("Pending", "Failed") and not live.has_run:
        # Nothing of it runs or ran, so nothing is lost by writing it again.
        return update(desired, live, found, asker, why="last deployment failed")
    trouble, cure = _trouble(desired, live)
    patch = only_tags(desired, live, found, asker, state)
    if patch is not None:
        notes = (f"{trouble}: {cure}",) if trouble else ()
        return replace(patch, trouble=trouble, notes=(*patch.notes, *notes))
    if live.has_failed:
        return refuse(desired, live, why=trouble, allow=cure, found=found, blocks=False)
    if trouble:
        action = no_op(desired, live, why=f"equal, but {trouble}")
        return replace(action, trouble=trouble, notes=(cure,))
    return _left_alone(desired, live)


def run_again(desired: DesiredGroup, live: LiveGroup, found: Diff, asker: Asker) -> Action | None:
    """The start that was asked for by name, None where it was not or where the group runs."""
    address = desired.id.address
    if address not in asker.rerun or not live.has_ended:
        return None
    action = start(desired, live, found, why=f"asked to run again; it is {live.state}")
    asked = address in asker.rebaseline and desired.secrets
    return with_baseline(action, desired, asker) if asked else action


def only_tags(
    desired: DesiredGroup, live: LiveGroup, found: Diff, asker: Asker, state: StateTag
) -> Action | None:
    """The write of tags that is due, None where none is; `found` holds the tags that differ."""
    why = "only tags differ" if found else _to_remember(desired, state)
    if desired.id.address in asker.rebaseline and desired.secrets:
        return with_baseline(patch_tags(desired, live, found, why=why or "equal"), desired, asker)
    return patch_tags(desired, live, found, why=why) if why else None


def _left_alone(desired: DesiredGroup, live: LiveGroup) -> Action:
    ended = f"; it has ended ({live.state})" if live.has_ended else ""
    return no_op(desired, live, why=f"equal{ended}")


def _trouble(desired: DesiredGroup, live: LiveGroup) -> tuple[str, str]:
    """What is wrong with a group, and the command that repairs it; empty for one that is well.

    It takes a GET: of a group whose containers were not looked at nothing is known.
    """
    again = f"run it again with --rerun {desired.id}"
    if live.has_failed:
        state = live.state or "unknown"
        trouble = f"unhealthy: provisioning state {live.provisioning}, group state {state}"
        return trouble, again if live.has_ended else f"{_LOOK}, or use --replace {desired.id}"
    if live.provisioning.lower() in ("unhealthy", "repairing"):
        return f"unhealthy: provisioning state {live.provisioning}", _LOOK
    if live.state == "Stopped":
        return "stopped", again
    ends = [
        f"container '{view.name}' ended with exit code {view.exit_code}"
        for view in live.containers
        if view.state == "Terminated" and view.exit_code not in (0, None)
    ]
    if desired.is_task and live.has_ended and (ends or live.state == "Failed"):
        return f"failed: {', '.join(ends) or 'group state Failed'}", again
    return "", ""


def with_baseline(action: Action, desired: DesiredGroup, asker: Asker) -> Action:
    """A write of tags that also remembers the secrets as they are now, or the refusal to.

    Nobody can check that Azure holds them: that is taken on a person's word.
    """
    if not desired.secrets:
        return action
    missing = desired.lacking(SecretState.UNRESOLVED, SecretState.UNKNOWN)
    if asker.key is not None and not missing:
        why = f"{action.why}; its secrets become the baseline, taken on trust for what Azure holds"
        return replace(action, why=why, rebaseline=True)
    if asker.key is None:
        problem = "there is no key to compare secrets with"
        allow = "set ACI_RECONCILE_SECRET_KEY"
    else:
        problem = f"{missing[0].name} has no value ({missing[0].where}): {missing[0].reason}"
        allow = "give it a value, or a reference that can be followed here"
    return replace(
        action,
        kind=ActionKind.REFUSE,
        why=f"its secrets cannot become the baseline: {problem}",
        allow=allow,
        costs=(),
    )


def _to_remember(desired: DesiredGroup, state: StateTag) -> str:
    """What only the tags can remember and do not yet; a tool upgrade alone is no reason."""
    if not state.is_current:
        return ""
    if state.protect != desired.policy.protect:
        return (
            "protection is remembered on the group"
            if desired.policy.protect
            else "protection is lifted"
        )
    keys = frozenset(tag_key_digest(name) for name in desired.tags)
    wanted = frozenset({merged_tag_keys(keys)}) if state.tags_merged else keys
    if state.tag_keys != wanted:
        unsure = "; which of so many left the manifest cannot be told" if state.tags_merged else ""
        return f"the set of tag keys we manage changed{unsure}"
    if state.hash_version == NORMALISER_VERSION and state.spec != desired_hash(desired):
        # Else whoever sets it back to what the tag knows would be taken for a pending manifest.
        return "the manifest came to what Azure holds already, which is remembered"
    return ""
