"""The manifests are Kubernetes's, and agree with one another, the configs and the server.

Nothing here needs a cluster; what `kubectl kustomize` makes of them is checked where it is.
KServe's schema is in no package: of its manifests only the structure is.
"""

import json
import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import requests
import yaml
from prometheus_client.parser import text_string_to_metric_families

from serving import check, model_config
from serving.client import RestClient
from serving.config_messages import BatchingParameters, MonitoringConfig
from serving.server import LocalServer
from tests.serving.test_deploy import CONFIG, DEPLOY, parse

CPU, GPU = (DEPLOY / "kubernetes" / kind for kind in ("cpu", "gpu"))
ADAPTER = DEPLOY / "kubernetes" / "prometheus_adapter.yaml"
LOADER = DEPLOY / "kubernetes" / "loader.yaml"
KSERVE = DEPLOY / "kserve"
# The oldest that is tried, and the newest whose schemas the package has.
VERSIONS = ("1.30", kubernetes_validate.latest_version())


def read(path):
    return yaml.safe_load(path.read_text("utf-8"))


MANIFESTS = {
    path.stem: read(path) for path in (*CPU.glob("*.yaml"), LOADER) if path.stem != "kustomization"
}
POD = MANIFESTS["deployment"]["spec"]["template"]
(CONTAINER,) = POD["spec"]["containers"]
FLAGS = dict(argument.removeprefix("--").split("=") for argument in CONTAINER["args"])


def built(folder):
    """What kubectl would apply."""
    if not shutil.which("kubectl"):
        pytest.skip("kubectl builds it")
    command = ["kubectl", "kustomize", folder]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return list(yaml.safe_load_all(text))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", MANIFESTS)
def test_schema(name, version):
    kubernetes_validate.validate(MANIFESTS[name], version, strict=True)


def test_the_schemas_are_strict():
    wrong = json.loads(json.dumps(MANIFESTS["service"]).replace("targetPort", "targetport"))
    with pytest.raises(kubernetes_validate.ValidationError, match="targetport"):
        kubernetes_validate.validate(wrong, VERSIONS[1], strict=True)


@pytest.mark.parametrize("folder", [CPU, GPU], ids=["cpu", "gpu"])
def test_what_kubectl_builds(folder):
    resources = built(folder)
    for resource in resources:
        kubernetes_validate.validate(resource, VERSIONS[1], strict=True)
    names = {(resource["kind"], resource["metadata"]["name"]) for resource in resources}
    (deployment,) = (r for r in resources if r["kind"] == "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    (projected,) = (v["projected"] for v in pod["volumes"] if "projected" in v)
    for source in projected["sources"]:
        assert ("ConfigMap", source["configMap"]["name"]) in names
    assert ("ConfigMap", "models") in names  # without a hash: pods see a new list as it is
    release = read(folder / "kustomization.yaml")["images"][0]["newTag"]
    (container,) = pod["containers"]
    assert container["image"] == f"tensorflow/serving:{release}"
    assert container["resources"]["limits"].get("nvidia.com/gpu") == (1 if folder == GPU else None)
    assert container["args"] == CONTAINER["args"]


def test_the_gpus_patches_meet_something():
    for name in ("deployment", "autoscaler"):
        patch = read(GPU / f"{name}.yaml")
        for field in ("apiVersion", "kind", "metadata"):
            assert patch[field] == MANIFESTS[name][field]
    patch = read(GPU / "deployment.yaml")["spec"]["template"]["spec"]["containers"]
    assert [container["name"] for container in patch] == [CONTAINER["name"]]


def test_every_manifest_is_listed():
    listed = read(CPU / "kustomization.yaml")["resources"]
    files = {path.name for path in CPU.glob("*.yaml")} - {"kustomization.yaml"}
    assert set(listed) == files | {"../../config"}


@pytest.mark.parametrize("path", [CPU, GPU, KSERVE / "cpu", KSERVE / "gpu"], ids=lambda p: p.name)
def test_the_release_is_one_whose_ops_an_export_is_checked_against(path):
    if path.parent == KSERVE:
        tag = read(path / "inference_service.yaml")["spec"]["predictor"]["model"]["runtimeVersion"]
    else:
        (image,) = read(path / "kustomization.yaml")["images"]
        assert image["name"] == CONTAINER["image"]
        tag = image["newTag"]
    number, _, gpu = tag.partition("-")
    assert number.rpartition(".")[0] in check.RELEASES
    assert gpu == ("gpu" if path.name == "gpu" else "")


def test_flags_are_tensorflow_servings_and_composes():
    lines = Path(__file__).with_name("tensorflow_serving_flags.txt").read_text().splitlines()
    compose = read(DEPLOY / "compose.yaml")["x-server"]["command"]
    assert FLAGS.keys() <= set(lines)
    in_compose = dict(argument.removeprefix("--").split("=") for argument in compose)
    assert in_compose | {"model_config_file": "/config/models.config"} == FLAGS


def test_files_that_flags_name_are_mounted():
    generators = read(CONFIG / "kustomization.yaml")["configMapGenerator"]
    held = {generator["name"]: generator["files"] for generator in generators}
    volumes = {volume["name"]: volume for volume in POD["spec"]["volumes"]}
    mounts = {mount["mountPath"]: volumes[mount["name"]] for mount in CONTAINER["volumeMounts"]}
    sources = mounts["/config"]["projected"]["sources"]
    mounted = [file for source in sources for file in held[source["configMap"]["name"]]]
    assert {value for value in FLAGS.values() if "/" in value} == {f"/config/{f}" for f in mounted}
    assert all((CONFIG / file).is_file() for file in mounted)
    models = model_config.read(CONFIG / "models.config").model_config_list.config
    assert all(Path(model.base_path).parent == Path("/models") for model in models)
    claim = MANIFESTS["volume"]["metadata"]["name"]
    for volume in (mounts["/models"], *MANIFESTS["loader"]["spec"]["volumes"]):
        assert volume["persistentVolumeClaim"]["claimName"] == claim


def test_ports():
    ports = {port["name"]: port["containerPort"] for port in CONTAINER["ports"]}
    assert ports == {"grpc": int(FLAGS["port"]), "rest": int(FLAGS["rest_api_port"])}
    for port in MANIFESTS["service"]["spec"]["ports"]:
        assert (port["targetPort"], port["port"]) == (port["name"], ports[port["name"]])
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        asked = CONTAINER[probe].get("httpGet") or CONTAINER[probe]["tcpSocket"]
        assert asked["port"] in ports


def test_selectors_meet_the_pods():
    labels = POD["metadata"]["labels"]
    for name in ("deployment", "disruption_budget"):
        assert MANIFESTS[name]["spec"]["selector"] == {"matchLabels": labels}
    assert MANIFESTS["service"]["spec"]["selector"] == labels
    (spread,) = POD["spec"]["topologySpreadConstraints"]
    assert spread["labelSelector"] == {"matchLabels": labels}
    target = MANIFESTS["autoscaler"]["spec"]["scaleTargetRef"]
    deployment = MANIFESTS["deployment"]
    assert target == {
        "apiVersion": deployment["apiVersion"],
        "kind": deployment["kind"],
        "name": deployment["metadata"]["name"],
    }


def test_the_autoscaler_asks_for_what_the_adapter_makes_of_what_the_server_has(server):
    RestClient(port=server.rest_port).translate("toy", ["a"])
    annotations = POD["metadata"]["annotations"]
    path = annotations["prometheus.io/path"]
    assert path == parse("monitoring.config", MonitoringConfig).prometheus_config.path
    assert annotations["prometheus.io/port"] == FLAGS["rest_api_port"]
    page = requests.get(f"http://127.0.0.1:{server.rest_port}{path}", timeout=10).text
    served = {s.name for family in text_string_to_metric_families(page) for s in family.samples}
    (rule,) = read(ADAPTER)["rules"]["custom"]
    assert rule["seriesQuery"].partition('__name__="')[2].partition('"')[0] in served
    for folder in (CPU, GPU):
        (metric,) = read(folder / "autoscaler.yaml")["spec"]["metrics"]
        assert metric["pods"]["metric"]["name"] == rule["name"]["as"]


def test_resources_fit_the_batches():
    batching = parse("batching.config", BatchingParameters)
    # One batch a core: a pod asks for so many, and the server is left to count them.
    assert CONTAINER["resources"]["requests"]["cpu"] == 4
    assert not batching.HasField("num_batch_threads")
    (metric,) = read(GPU / "autoscaler.yaml")["spec"]["metrics"]
    assert metric["pods"]["target"]["averageValue"] == 2 * batching.max_execution_batch_size.value


def test_nothing_runs_as_root():
    for pod in (POD["spec"], MANIFESTS["loader"]["spec"]):
        assert pod["securityContext"]["runAsNonRoot"]
        assert not pod["automountServiceAccountToken"]
        for container in pod["containers"]:
            assert not container["securityContext"]["allowPrivilegeEscalation"]
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_a_pod_is_ready_once_the_model_is_available(folder, add_version):
    """Of two paths the status is a 200 as soon as there is a version, even one that failed."""
    names = [m.name for m in model_config.read(CONFIG / "models.config").model_config_list.config]
    paths = [CONTAINER[probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe")]
    assert all(path.split("/")[3] in names for path in paths)

    def codes(server):
        moved = [path.replace("/dates", "/toy") for path in paths]
        url = f"http://127.0.0.1:{server.rest_port}"
        return [requests.get(url + path, timeout=10).status_code for path in moved]

    (folder / "toy" / "1" / "saved_model.pb").write_bytes(b"broken")
    with LocalServer(folder, rest_port=0, grpc_port=0, poll_seconds=60) as server:
        assert codes(server) == [200, 404]
        add_version(2)
        server.repository.poll()
        assert codes(server) == [200, 200]


def test_kserve():
    service = read(KSERVE / "cpu" / "inference_service.yaml")
    patch = read(KSERVE / "gpu" / "inference_service.yaml")
    for field in ("apiVersion", "kind", "metadata"):
        assert service[field] == patch[field]
    assert service["apiVersion"] == "serving.kserve.io/v1beta1"
    assert service["kind"] == "InferenceService"
    name, predictor = service["metadata"]["name"], service["spec"]["predictor"]
    model = predictor["model"]
    assert model["modelFormat"] == {"name": "tensorflow"}
    claim = MANIFESTS["volume"]["metadata"]["name"]
    assert model["storageUri"] == f"pvc://{claim}/{name}"
    assert model["readinessProbe"]["httpGet"]["path"] == f"/v1/models/{name}/metadata"
    assert predictor["minReplicas"] <= predictor["maxReplicas"]
    limits = patch["spec"]["predictor"]["model"]["resources"]["limits"]
    assert limits["nvidia.com/gpu"] == 1


def test_kserve_on_a_gpu_is_the_same_but_for_the_gpu():
    (cpu,), (gpu,) = (built(KSERVE / kind) for kind in ("cpu", "gpu"))
    (cpu, gpu) = (resource["spec"]["predictor"]["model"] for resource in (cpu, gpu))
    assert {name for name in cpu if cpu[name] != gpu[name]} == {"runtimeVersion", "resources"}
