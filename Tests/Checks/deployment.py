"""Checks what deploy/ and `wafermark deploy` hand to others' programs, by those programs.

Kubernetes: the overlay of a job is built by kubectl's Kustomize, every resource is held against Kubernetes' own schemas
(strictly: an unknown key is an error), what one refers to by name must be there, every pod must keep the "restricted" pod
security standard, and every policy must select somebody. systemd: `deploy/install --systemd` into an empty tree, the units
read by `systemd-analyze verify` and rated by `systemd-analyze security`, and removed again. Containers: the compose file
is read by `docker compose config`. What is not installed here is skipped, and that is said.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import kubernetes_validate
import yaml

from small_job import small_job

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
# The least that has podFailurePolicy and endPort for good; and the newest whose schemas there are.
VERSIONS = ["1.31", ".".join(kubernetes_validate.latest_version().split(".")[:2])]
# systemd's own word for up to 2.0 is "OK", and for above 4.9 "MEDIUM".
MOST_EXPOSED = 2.0


def run(*command: str, **more) -> str:
    outcome = subprocess.run(command, capture_output=True, text=True, timeout=120, **more)
    if outcome.returncode != 0:
        raise SystemExit(f"deployment: {' '.join(command)} failed:\n{outcome.stdout}{outcome.stderr}")
    return outcome.stdout


def documents(text: str) -> list[dict]:
    return [document for document in yaml.safe_load_all(text) if document]


def pods(resources: list[dict]) -> dict[str, dict]:
    """The pod templates, by kind and name of what makes them."""
    return {
        f"{resource['kind']} {resource['metadata']['name']}": resource["spec"]["template"]
        for resource in resources
        if resource["kind"] in ("Deployment", "Job")
    }


def check_schemas(resources: list[dict]) -> None:
    for resource in resources:
        for version in VERSIONS:
            try:
                kubernetes_validate.validate(resource, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                place = ".".join(str(part) for part in error.path)
                raise SystemExit(
                    f"deployment: {resource['kind']} {resource['metadata']['name']} on {version}: {place}: {error.message}")


def check_references(resources: list[dict]) -> None:
    names = {(resource["kind"], resource["metadata"]["name"]) for resource in resources}
    for owner, template in pods(resources).items():
        spec = template["spec"]
        wanted = [("ServiceAccount", spec["serviceAccountName"])]
        for volume in spec["volumes"]:
            if "secret" in volume:
                wanted.append(("Secret", volume["secret"]["secretName"]))
            if "configMap" in volume:
                wanted.append(("ConfigMap", volume["configMap"]["name"]))
            if "persistentVolumeClaim" in volume:
                wanted.append(("PersistentVolumeClaim", volume["persistentVolumeClaim"]["claimName"]))
        for reference in wanted:
            if reference not in names:
                raise SystemExit(f"deployment: {owner} wants {reference}, which is not there")
        volumes = {volume["name"] for volume in spec["volumes"]}
        for container in spec["initContainers"] + spec["containers"]:
            for mount in container["volumeMounts"]:
                if mount["name"] not in volumes:
                    raise SystemExit(f"deployment: {owner} mounts {mount['name']}, which is not there")
            for argument in container.get("args", []):
                host = re.search(r"tcp://(wafermark-[a-z]+):", argument)
                if host and ("Service", host.group(1)) not in names:
                    raise SystemExit(f"deployment: {owner} connects to {host.group(1)}, which is no service")


def check_restricted(resources: list[dict]) -> None:
    """The parts of the "restricted" pod security standard that these pods are about."""
    for owner, template in pods(resources).items():
        spec = template["spec"]
        context = spec["securityContext"]
        assert context["runAsNonRoot"] and context["runAsUser"] > 0, owner
        assert context["seccompProfile"]["type"] == "RuntimeDefault", owner
        assert spec["automountServiceAccountToken"] is False, owner
        for container in spec["initContainers"] + spec["containers"]:
            inner = container["securityContext"]
            assert inner["allowPrivilegeEscalation"] is False, owner
            assert inner["capabilities"] == {"drop": ["ALL"]}, owner
            assert inner["readOnlyRootFilesystem"] is True, owner
            assert "memory" in container["resources"]["limits"] and "cpu" in container["resources"]["requests"], owner
        for volume in spec["volumes"]:
            assert not volume.keys() & {"hostPath", "nfs"}, f"{owner}: {volume}"


def selects(selector: dict, labels: dict) -> bool:
    for key, value in selector.get("matchLabels", {}).items():
        if labels.get(key) != value:
            return False
    for expression in selector.get("matchExpressions", []):
        assert expression["operator"] == "In"
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return True


def check_selectors(resources: list[dict]) -> None:
    labels = [template["metadata"]["labels"] for template in pods(resources).values()]
    kinds = {"NetworkPolicy": "podSelector", "PodDisruptionBudget": "selector", "Service": "selector"}
    for resource in resources:
        field = kinds.get(resource["kind"])
        if not field:
            continue
        selector = resource["spec"][field]
        if resource["kind"] == "Service":
            selector = {"matchLabels": selector}
        if not any(selects(selector, candidate) for candidate in labels):
            raise SystemExit(f"deployment: {resource['kind']} {resource['metadata']['name']} selects nobody")
    denials = [
        resource
        for resource in resources
        if resource["kind"] == "NetworkPolicy" and resource["spec"]["podSelector"] == {}
    ]
    assert len(denials) == 1 and sorted(denials[0]["spec"]["policyTypes"]) == ["Egress", "Ingress"]
    assert not denials[0]["spec"].keys() & {"ingress", "egress"}


def check_kubernetes(wafermark: str, scratch: pathlib.Path) -> str:
    job = scratch / "job.yaml"
    job.write_text(small_job("kubernetes"))
    overlay = scratch / "overlay"
    run(wafermark, "deploy", "kubernetes", str(job), "--out", str(overlay), "--workers", "3",
        "--image", "registry.example.org:5000/wafermark:0.1.0", "--namespace", "lab", "--storage-class", "nfs")
    base = [document for file in sorted((overlay / "base").glob("*.yaml")) if file.name != "kustomization.yaml"
            for document in documents(file.read_text())]
    check_schemas(base)
    if not shutil.which("kubectl"):
        return "schemas of the base alone: there is no kubectl here to build the overlay"
    resources = documents(run("kubectl", "kustomize", str(overlay)))
    check_schemas(resources)
    check_references(resources)
    check_restricted(resources)
    check_selectors(resources)
    by_name = {(resource["kind"], resource["metadata"]["name"]): resource for resource in resources}
    worker = by_name["Job", "wafermark-worker"]["spec"]
    assert worker["completionMode"] == "Indexed" and worker["completions"] == worker["parallelism"] == 3
    submit = by_name["Job", "wafermark-submit"]["spec"]["template"]["spec"]["containers"][0]
    assert "--workers=3" in submit["args"]
    assert by_name["PersistentVolumeClaim", "wafermark-shared"]["spec"]["storageClassName"] == "nfs"
    for resource in resources:
        assert resource["kind"] == "Namespace" or resource["metadata"]["namespace"] == "lab", resource["kind"]
    for template in pods(resources).values():
        for container in template["spec"]["initContainers"] + template["spec"]["containers"]:
            assert container["image"] == "registry.example.org:5000/wafermark:0.1.0"
    # A worker's pod gets the worker's key and no other.
    for owner, template in pods(resources).items():
        secrets = [volume["secret"]["secretName"] for volume in template["spec"]["volumes"] if "secret" in volume]
        assert len(secrets) == 1 and secrets[0].startswith(
            {"Deployment wafermark-coordinator": "wafermark-coordinator", "Job wafermark-submit": "wafermark-submit",
             "Job wafermark-worker": "wafermark-worker"}[owner]), (owner, secrets)
    return f"{len(resources)} resources, against the schemas of {' and '.join(VERSIONS)}"


def check_systemd(scratch: pathlib.Path) -> str:
    if not shutil.which("systemd-analyze"):
        return "skipped: there is no systemd-analyze here"
    root = scratch / "root"
    for folder in ["etc", "usr/local/bin"]:
        (root / folder).mkdir(parents=True)
    install = str(REPOSITORY / "deploy/install")
    run(install, "--systemd", "--prefix", "/usr/local", "--root", str(root))
    program = root / "usr/local/bin/wafermark"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    units = root / "etc/systemd/system"
    run("systemctl", f"--root={root}", "enable", "wafermark-worker@1.service")
    assert run("systemctl", f"--root={root}", "is-enabled", "wafermark.service").strip() == "enabled"
    # verify looks at this host's own units, too, but at programs of this host alone.
    verified = scratch / "verified"
    verified.mkdir()
    ratings = []
    for name, instance in [("wafermark.service", "wafermark.service"),
                           ("wafermark-worker@.service", "wafermark-worker@1.service")]:
        text = (units / name).read_text()
        assert "@PROGRAM@" not in text
        (verified / instance).write_text(text.replace("/usr/local/bin/wafermark", str(program)))
        outcome = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", str(verified / instance)], capture_output=True, text=True, timeout=60)
        complaints = [line for line in outcome.stderr.splitlines() if "wafermark" in line]
        if complaints or outcome.returncode != 0:
            raise SystemExit(f"deployment: {instance}: {outcome.stderr}")
        words = run("systemd-analyze", "security", "--offline=true", f"--threshold={int(MOST_EXPOSED * 10)}",
                    str(verified / instance))
        ratings.append(re.search(r"exposure level for .*: ([0-9.]+)", words).group(1))
    run(install, "--remove", "--systemd", "--prefix", "/usr/local", "--root", str(root))
    left = [file for file in root.rglob("*wafermark*") if "systemd" in str(file)]
    assert not left, left
    assert (root / "etc/wafermark/serve.conf").exists(), "settings are kept"
    return f"units installed, verified and removed; exposure {', '.join(ratings)} of 10"


def check_compose() -> str:
    path = REPOSITORY / "deploy/compose.yaml"
    compose = yaml.safe_load(path.read_text())
    for name, service in compose["services"].items():
        assert service["cap_drop"] == ["ALL"] and service["read_only"] is True, name
        assert "ports" not in service and not service.get("privileged"), name
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert source in compose["volumes"] or source.startswith("${WAFERMARK_DATA"), volume
    keys = {name: [volume for volume in service["volumes"] if "-key" in volume]
            for name, service in compose["services"].items()}
    assert keys["worker"] == ["worker-key:/keys:ro"] and keys["coordinator"] == ["server-key:/keys:ro"]
    if not shutil.which("docker") or subprocess.run(
            ["docker", "compose", "version"], capture_output=True, timeout=30).returncode != 0:
        return "read as YAML alone: there is no docker compose here"
    run("docker", "compose", "--file", str(path), "config", "--quiet")
    return "read by docker compose"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wafermark")
    wafermark = str(pathlib.Path(parser.parse_args().wafermark).resolve())
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        print("kubernetes:", check_kubernetes(wafermark, scratch))
        print("systemd:", check_systemd(scratch))
        print("containers:", check_compose())


if __name__ == "__main__":
    sys.exit(main())
