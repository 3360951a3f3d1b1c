"""A plan says beforehand which tool would write the weights back."""

from typing import Any

import pytest

from bot.gitops import remark


def document(manager: str = "kubectl", **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"managedFields": [{"manager": manager}], **metadata}}


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        (document("kustomize-controller"), "Flux applies shop/reviews"),
        (document(labels={"kustomize.toolkit.fluxcd.io/name": "apps"}), "Flux applies shop/reviews"),
        (document("argocd-controller"), "Argo CD applies shop/reviews"),
        (document(annotations={"argocd.argoproj.io/tracking-id": "shop:…"}), "Argo CD applies shop/reviews"),
    ],
)
def test_the_tool_is_named_with_its_recipe(manifest: dict[str, Any], told: str) -> None:
    assert told in remark("shop/reviews", manifest)
    assert "deploy/gitops/" in remark("shop/reviews", manifest)


@pytest.mark.parametrize(
    "manifest",
    [
        None,
        document(),
        document("kustomize-controller", annotations={"kustomize.toolkit.fluxcd.io/reconcile": "disabled"}),
        document("kustomize-controller", annotations={"kustomize.toolkit.fluxcd.io/ssa": "IfNotPresent"}),
    ],
)
def test_where_no_tool_writes_nothing_is_said(manifest: dict[str, Any] | None) -> None:
    assert remark("shop/reviews", manifest) == ""
