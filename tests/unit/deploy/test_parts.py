"""Missing real parts: what is installed, by whom, and the one line for who may not."""

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.parts import builds, helm_build, install, istio_definitions, kube_apiserver_build
from tests.parts.cache import cache_folder
from tests.parts.processes import PartFailedError

Tools = Callable[..., Path]


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    """A PATH with nothing but these commands, each of which writes itself down and exits as told."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    for name in ("KUBEBUILDER_ASSETS", "SLUICE_CHROMIUM", "SLUICE_TEST_HELM"):
        monkeypatch.delenv(name, raising=False)

    def made(*names: str, exits: int = 0) -> Path:
        for name in names:
            (folder / name).write_text(f"#!/bin/sh\necho {name} $* >> {folder}/said\nexit {exits}\n")
            (folder / name).chmod(0o755)
        return folder / "said"

    return made


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 65534)


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def test_nothing_is_installed_when_nothing_is_missing(tools: Tools, root: None) -> None:
    said = tools("prometheus", "chromium", "apt-get", "env")
    assert install.install(["unit", "acceptance"]) == 0
    assert not said.exists()


@pytest.mark.usefixtures("nobody")
def test_who_may_not_install_gets_the_one_line_and_five(tools: Tools, capfd: pytest.CaptureFixture[str]) -> None:
    said = tools("apt-get", "env", "sudo", exits=1)
    assert install.install(["acceptance"]) == 5
    line = "Run: sudo apt-get install --no-install-recommends -y prometheus chromium"
    assert capfd.readouterr().err == f"missing: prometheus, chromium. {line}\n"
    assert said.read_text() == "sudo -n true\n"


@pytest.mark.usefixtures("nobody")
def test_without_any_sudo_nothing_is_tried(tools: Tools) -> None:
    said = tools("apt-get", "env")
    assert install.install(["acceptance"]) == 5
    assert not said.exists()


@pytest.mark.usefixtures("nobody")
def test_sudo_without_a_password_installs_what_is_missing(tools: Tools) -> None:
    said = tools("apt-get", "sudo", "chromium")
    assert install.install(["acceptance"]) == 5, "the part is still missing afterwards, and that is said"
    asked, updated, installed = said.read_text().splitlines()
    assert asked == "sudo -n true"
    assert updated.startswith("sudo -n env ") and updated.endswith(" update")
    assert installed.endswith("install --no-install-recommends -y prometheus")


@pytest.mark.usefixtures("root")
def test_root_installs_without_sudo(tools: Tools) -> None:
    said = tools("env", "chromium", "apt-get")
    assert install.install(["acceptance"]) == 5
    assert [line.split()[0] for line in said.read_text().splitlines()] == ["env", "env"]


@pytest.mark.usefixtures("root")
def test_a_failed_update_installs_nothing_and_is_said(tools: Tools, capfd: pytest.CaptureFixture[str]) -> None:
    said = tools("env", "apt-get", exits=100)
    assert install.install(["acceptance"]) == 5
    assert len(said.read_text().splitlines()) == 1
    assert "returned non-zero exit status 100" in capfd.readouterr().err


def test_assets_that_are_named_and_not_whole_are_said_and_nothing_takes_their_place(
    tools: Tools, root: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools("go", "etcd")
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    assert {"etcd", "apiserver"} <= set(install.missing(["contract"]))
    assert install.packages(["etcd", "apiserver"]) == []
    assert f"KUBEBUILDER_ASSETS is '{tmp_path}'" in install.remedy(["etcd", "apiserver"])
    with pytest.raises(PartFailedError, match="does not answer --version"):
        kube_apiserver_build.kube_apiserver_binary()


def test_whole_assets_need_no_compiler_and_no_etcd(
    tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = tmp_path / "assets"
    assets.mkdir()
    (assets / "etcd").touch()
    (assets / "kube-apiserver").write_text("#!/bin/sh\necho Kubernetes v1.34.1\n")
    (assets / "kube-apiserver").chmod(0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    tools("prometheus")
    assert not {"etcd", "apiserver"} & set(install.missing(["contract"]))
    assert kube_apiserver_build.kube_apiserver_binary() == assets / "kube-apiserver"


def test_a_browser_that_is_named_and_not_there_is_said(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    tools("prometheus", "chromium")
    monkeypatch.setenv("SLUICE_CHROMIUM", "/nowhere/chromium")
    assert install.missing(["acceptance"]) == ["chromium"]
    assert (
        install.remedy(["chromium"]) == "SLUICE_CHROMIUM is '/nowhere/chromium', which is no file: correct or unset it"
    )


@pytest.mark.parametrize("has_go", [True, False])
def test_a_helm_is_taken_where_there_is_one_and_built_where_there_is_go(tools: Tools, has_go: bool) -> None:
    assert "helm" in install.missing(["contract"])
    assert "Install Helm 3 from" in install.remedy(["helm"])
    tools("go" if has_go else "helm")
    assert "helm" not in install.missing(["contract"])


def test_a_helm_that_is_named_and_not_there_is_said(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    tools("go")
    monkeypatch.setenv("SLUICE_TEST_HELM", "/nowhere/helm")
    assert "helm" in install.missing(["contract"])
    assert install.remedy(["helm"]) == "SLUICE_TEST_HELM is '/nowhere/helm', which is no file: correct or unset it"
    with pytest.raises(PartFailedError, match=r"which does not answer version with v3\.19 or a newer v3"):
        helm_build.helm_binary()


@pytest.fixture
def cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SLUICE_TEST_CACHE", str(tmp_path / "cache"))
    return cache_folder()


@pytest.mark.parametrize("cut", [0, 20, -1])
def test_definitions_that_are_not_whole_are_fetched_anew(
    cached: Path, cut: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[bytes] = []

    def fetch() -> bytes:
        fetched.append(b"kind: CustomResourceDefinition\n")
        return fetched[-1]

    monkeypatch.setattr(istio_definitions, "has_go", lambda: False)
    monkeypatch.setattr(istio_definitions, "from_proxy", fetch)
    kept = istio_definitions.istio_definitions()
    whole = kept.read_bytes()
    assert (istio_definitions.istio_definitions(), len(fetched)) == (kept, 1)
    kept.write_bytes(whole[:cut])
    assert istio_definitions.istio_definitions().read_bytes() == whole
    assert len(fetched) == 2


@pytest.mark.parametrize("text", ["", "#!/bin/sh\nexit 1\n", "\x7fELF", "#!/bin/sh\necho Kubernetes v1\nexit 1\n"])
def test_a_broken_api_server_in_the_cache_is_built_anew(
    cached: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[Path] = []
    monkeypatch.setattr(kube_apiserver_build, "_build", built.append)
    binary = kube_apiserver_build.kube_apiserver_binary()
    assert built == [binary]
    binary.write_text(text)
    binary.chmod(0o755)
    kube_apiserver_build.kube_apiserver_binary()
    assert built == [binary, binary]
    binary.write_text("#!/bin/sh\necho Kubernetes v1.34.1\n")
    kube_apiserver_build.kube_apiserver_binary()
    assert built == [binary, binary]


def answering(path: Path, version: str) -> Path:
    path.write_text(f"#!/bin/sh\necho {version}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("version", ["v3.19.0", "v3.22.1+g1"])
def test_a_helm_on_the_path_is_taken_when_it_is_new_enough(tools: Tools, cached: Path, version: str) -> None:
    found = answering(tools("helm").parent / "helm", version)
    assert helm_build.helm_binary() == found


@pytest.mark.parametrize("version", ["v3.18.6", "v4.0.0", "v2.17.0", "helm", ""])
def test_another_helm_is_built_instead_and_a_broken_one_anew(
    tools: Tools, cached: Path, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(tools("helm").parent / "helm", version)
    built: list[Path] = []
    monkeypatch.setattr(helm_build, "_build", lambda binary: built.append(answering(binary, "v3.19.5")))
    binary = helm_build.helm_binary()
    assert (binary.parent, helm_build.helm_binary(), built) == (cached, binary, [binary])
    answering(binary, version)
    assert (helm_build.helm_binary(), built) == (binary, [binary, binary])


@pytest.mark.parametrize(
    ("tiers", "made"),
    [
        (["unit", "crash"], ""),
        (["integration"], "/server /crds "),
        (["contract", "integration"], "/server /crds /helm "),
    ],
)
def test_what_is_compiled_is_what_the_tiers_need(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tiers: list[str], made: str
) -> None:
    fakes = {"apiserver": (lambda: Path("/server"), lambda: Path("/crds")), "helm": (lambda: Path("/helm"),)}
    monkeypatch.setattr(builds, "BUILDS", fakes)
    assert builds.main(tiers) == 0
    assert capsys.readouterr().out.replace("\n", " ") == made


def test_what_cannot_be_compiled_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> Path:
        raise PartFailedError("go build failed")

    monkeypatch.setattr(builds, "BUILDS", {"helm": (broken,)})
    assert builds.main(["contract"]) == 1
    assert capsys.readouterr().err == "go build failed\n"


def test_an_archive_that_go_sum_does_not_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("istio.io/api@v1.31.1/kubernetes/customresourcedefinitions.gen.yaml", "kind: Other")
    answer = httpx.Response(200, content=packed.getvalue(), request=httpx.Request("GET", "https://proxy"))
    monkeypatch.setattr(httpx, "get", lambda *_, **__: answer)
    with pytest.raises(PartFailedError, match=r"is not what go\.sum names"):
        istio_definitions.from_proxy()
