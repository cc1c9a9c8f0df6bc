"""What the machine has found, each as small as it gets."""

from __future__ import annotations

from tests.conftest import Repository, ended, group, kinds, task


def test_a_group_that_is_run_again_remembers_what_its_manifest_says(
    repository: Repository,
) -> None:
    """Protection stands in the tags alone: a start that leaves them is not all of the apply."""
    repository.given_home()
    repository.write(task())
    repository.apply()
    repository.write(task(reconcile={"protect": True}))
    assert kinds(repository.plan()) == {"job": "patch-tags"}

    run = repository.apply(rerun=("job",))

    assert ended(run) == {"job": "succeeded"}
    assert kinds(repository.plan()) == {"job": "no-op"}


def test_words_in_another_order_do_not_stand_in_the_way_of_an_update(
    repository: Repository,
) -> None:
    """What counts as equal is no change of what cannot change in place."""

    def manifest(options: str, image: str) -> dict:
        return group(image=image, dnsConfig={"nameServers": ["10.0.0.1"], "options": options})

    repository.given_home()
    repository.write(manifest("ndots:2 rotate", "nginx:1"))
    repository.apply()
    repository.write(manifest("rotate ndots:2", "nginx:1"))
    assert kinds(repository.plan()) == {"web": "no-op"}
    repository.write(manifest("rotate ndots:2", "nginx:2"))

    assert ended(repository.apply()) == {"web": "succeeded"}
