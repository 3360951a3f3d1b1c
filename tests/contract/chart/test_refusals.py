"""Values that are refused by Helm itself, with their place and what is allowed."""

import pytest

from tests.contract.chart.rendering import Helm, RefusedByHelm

SHOP = "profiles.r.service=reviews,profiles.r.namespace=shop"


ROLES = "'viewer', 'releaser', 'approver', 'override', 'on_call'"


@pytest.mark.parametrize(
    ("given", "place", "allowed"),
    [
        (
            "replica=2",
            "at '': additional properties 'replica' not",
            "one of 'image', 'imagePullSecrets', 'replicas', 'd",
        ),
        ("settingz.log=json", "at '': additional properties 'settingz' not", "'hooks', 'settings', 'roles'"),
        ("settings.lok=10s", "at '/settings': additional properties 'lok' not", "one of 'cluster', 'namespaces',"),
        ("settings.listen=:80", "at '/settings': additional properties 'listen' not", "one of 'cluster'"),
        (
            "settings.slack_bot_token=x",
            "at '/settings': additional properties 'slack_bot_token' not",
            "one of 'cluster'",
        ),
        ("roles.aprover={U1}", "at '/roles': additional properties 'aprover' not", f"must be one of {ROLES}"),
        (f"{SHOP},profiles.r.apprv=none", "at '/profiles/r': additional properties 'apprv' not", "'look', 'approve'"),
        ("profiles.r.service=reviews", "at '/profiles/r'", "missing property 'namespace'"),
        ("profiles.a/b.service=reviews", "at '/profiles", "'a/b' does not match pattern"),
        ("database.secrets=x", "at '/database'", "additional properties 'secrets' not allowed"),
        ("slack.transport=sockets", "at '/slack/transport'", "value must be one of 'socket', 'http'"),
        ("settings.log=xml", "at '/settings/log'", "value must be one of 'text', 'json', ''"),
        ("settings.evidence_days=0", "at '/settings/evidence_days'", "minimum: got 0, want 1"),
        ("roles.approver={bob}", "at '/roles/approver/0': 'bob'", "does not match pattern '^[UWS][A-Z0-9]+$'"),
        ("roles.approver=bob", "at '/roles/approver': 'bob'", "does not match pattern '^[UWS][A-Z0-9]+$'"),
        ("replicas=two", "at '/replicas'", "got string, want integer"),
        ("workloads.bound=yes", "at '/workloads/bound'", "got string, want boolean"),
        ("podAnnotations.a=true", "at '/podAnnotations/a'", "got boolean, want string"),
        ("extraEnv[0].name=SLUICE_LOG", "at '/extraEnv/0/name'", "'not' failed"),
        ("extraEnv[0].value=x", "at '/extraEnv/0'", "missing property 'name'"),
        ("extraEnv.HTTPS_PROXY=x", "at '/extraEnv'", "got object, want array"),
        ("replicas=2", "replicas: more than one needs PostgreSQL", "name its Secret in database.secret"),
        ("hooks.secret=x", "hooks.secret and settings.hooks_hosts", "give both or neither"),
        ("settings.hooks_hosts={a.example}", "hooks.secret and settings.hooks_hosts", "give both or neither"),
    ],
)
def test_what_is_not_taken_is_said_with_its_place_and_what_is_allowed(
    helm: Helm, given: str, place: str, allowed: str
) -> None:
    with pytest.raises(RefusedByHelm) as refused:
        helm.rendered(sets=[given])
    assert place in str(refused.value)
    assert allowed in str(refused.value)
