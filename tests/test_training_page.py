"""The commands and the manifest of docs/training.md are ones that exist."""

import re
import shlex
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from attention_zoo.cli import _parser
from training.workers import Workers

PAGE = (Path(__file__).parent.parent / "docs" / "training.md").read_text(encoding="utf-8")
SHELL = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = re.findall(r"attention-zoo (.*?)(?: &)?$", "\n".join(SHELL), re.MULTILINE)
SERVICE, JOB = yaml.safe_load_all(re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[1])
POD = JOB["spec"]["template"]["spec"]
(CONTAINER,) = POD["containers"]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_line_takes_it(command):
    assert _parser().parse_args(shlex.split(command)).command


@pytest.mark.parametrize("script", SHELL)
def test_the_shell_takes_it(script):
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


@pytest.mark.parametrize("manifest", [SERVICE, JOB], ids=["service", "job"])
@pytest.mark.parametrize("version", ["1.30", kubernetes_validate.latest_version()])
def test_the_manifest_is_kubernetes_s(manifest, version):
    kubernetes_validate.validate(manifest, version, strict=True)


def test_each_pod_finds_the_first():
    parsed = _parser().parse_args([*CONTAINER["command"][1:], *CONTAINER["args"]])
    index = {"JOB_COMPLETION_INDEX": "1"}
    found = Workers.found(parsed.worker, parsed.workers, parsed.coordinator, index)
    name, service = JOB["metadata"]["name"], SERVICE["metadata"]["name"]
    assert found == Workers(1, JOB["spec"]["completions"], f"{name}-0.{service}:29500")
    assert POD["subdomain"] == service
    assert SERVICE["spec"]["selector"] == {"job-name": name}
