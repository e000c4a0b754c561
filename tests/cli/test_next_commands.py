"""The next commands that are printed can be copied: for the same cluster, the same journal, in any shell."""

from __future__ import annotations

from bridge.cli.nextcommands import Next, joined
from bridge.kube.choice import ClusterChoice


def test_without_flags_a_command_is_as_it_is() -> None:
    text = "ack-bridge migrate (tries again), or ack-bridge rollback --all"
    assert Next(ClusterChoice()).completed(text) == text


def test_the_cluster_is_named_again_in_each_command() -> None:
    there = Next(ClusterChoice("my config", "prod"), "state")
    assert there.completed("ack-bridge migrate (tries again), or ack-bridge rollback --all") == (
        "ack-bridge migrate --kubeconfig 'my config' --context prod --state-namespace state (tries again), "
        "or ack-bridge rollback --kubeconfig 'my config' --context prod --state-namespace state --all"
    )


def test_a_command_gets_no_flag_that_it_does_not_take() -> None:
    there = Next(ClusterChoice(None, "prod"), "state")
    assert there.completed("ack-bridge plan") == "ack-bridge plan --context prod"
    assert there.completed("ack-bridge run (or its Helm chart)") == "ack-bridge run (or its Helm chart)"
    assert there.completed("kubectl delete deployment ack-bridge") == "kubectl delete deployment ack-bridge"


def test_filters_are_quoted() -> None:
    flags = ["--namespace=team-a", "--selector=app in (a,b)"]
    assert joined("ack-bridge migrate", flags) == (
        "ack-bridge migrate --namespace=team-a '--selector=app in (a,b)'"
    )
