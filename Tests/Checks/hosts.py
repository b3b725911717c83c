"""Three hosts on one: a coordinator and two workers, each in a network namespace of its own, on a bridge between them.

Addresses are real ones, not loopback: without keys nothing may listen on them, and with keys a run must have the bits of the
wafer's. Every packet of a worker's host, from which the job is handed in, too, is recorded meanwhile; neither the run's
secret nor the job, nor any key, may be in it, while the name of the mechanism, which CURVE's greeting sends in the open, must
be.

Needs root and iproute2; skipped, saying so, where there are none or namespaces can't be made.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from small_job import small_job

HOSTS = {"coordinator": "10.231.77.1", "first": "10.231.77.2", "second": "10.231.77.3"}
# Recognized in a recording, where it should not be.
NAME = "job-that-nobody-may-read"

RECORD = """
import signal, socket, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3))
packets.bind((sys.argv[1], 0))
with open(sys.argv[2], "wb", buffering=0) as file:
    print("records", flush=True)
    while True:
        file.write(packets.recv(65535))
"""


def ip(*arguments: str, check: bool = True) -> subprocess.CompletedProcess:
    return subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=20, check=check)


class Network:
    """The namespaces of `hosts`, each with its address, and the bridge between them; gone when left."""

    def __init__(self, hosts: dict[str, str] = HOSTS):
        self.hosts = hosts
        self.prefix = f"wm{os.getpid() % 100_000}"
        self.bridge = f"{self.prefix}b"

    def namespace(self, host: str) -> str:
        return f"{self.prefix}-{host}"

    def outer(self, host: str) -> str:
        """The end on the bridge of the host's only link."""
        return f"{self.prefix}v{list(self.hosts).index(host)}"

    def __enter__(self) -> "Network":
        try:
            ip("link", "add", self.bridge, "type", "bridge")
            ip("link", "set", self.bridge, "up")
            for host, address in self.hosts.items():
                outer, namespace = self.outer(host), self.namespace(host)
                ip("netns", "add", namespace)
                ip("link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", namespace)
                ip("link", "set", outer, "master", self.bridge, "up")
                ip("-n", namespace, "addr", "add", f"{address}/24", "dev", "eth0")
                ip("-n", namespace, "link", "set", "eth0", "up")
                ip("-n", namespace, "link", "set", "lo", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        for host in self.hosts:
            ip("netns", "del", self.namespace(host), check=False)
        ip("link", "del", self.bridge, check=False)

    def start(self, host: str, *command: str, **more) -> subprocess.Popen:
        return subprocess.Popen(["ip", "netns", "exec", self.namespace(host), *command], stdin=subprocess.DEVNULL, **more)

    def run(self, host: str, *command: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            ["ip", "netns", "exec", self.namespace(host), *command], capture_output=True, text=True, timeout=60)


def wait(what: str, condition, seconds: float = 60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise SystemExit(f"hosts: waited {seconds:.0f} s for {what}")


def secret(path: pathlib.Path) -> str:
    return path.read_text().split("secret ")[1].split()[0]


def check(wafermark: str, network: Network, folder: pathlib.Path) -> str:
    state, address = folder / "s", HOSTS["coordinator"]
    refused = network.run(
        "coordinator", wafermark, "serve", "--state", str(state), "--no-dashboard", "--listen", f"tcp://{address}:0")
    assert refused.returncode == 2 and "keys new" in refused.stderr, refused.stderr
    for name, role in [("alice", "submit"), ("node", "worker")]:
        subprocess.run([wafermark, "keys", "new", name, "--role", role, "--state", str(state), "--out",
                        str(folder / f"{name}.key")], check=True, capture_output=True, timeout=60)
    started: list[subprocess.Popen] = []
    try:
        recording = folder / "packets"
        recorder = network.start("first", sys.executable, "-c", RECORD, "eth0", str(recording),
                                 stdout=subprocess.PIPE)
        started.append(recorder)
        assert recorder.stdout.readline() == b"records\n"
        log = folder / "serve.log"
        started.append(network.start(
            "coordinator", wafermark, "serve", "--state", str(state), "--no-dashboard", "--launcher", "external",
            "--listen", f"tcp://{address}:0", "--workers-listen", f"tcp://{address}:0", stdout=log.open("wb"),
            stderr=subprocess.STDOUT))
        daemon = wait("the daemon", lambda: re.search(rf"tcp://{re.escape(address)}:\d+", log.read_text())).group(0)
        remote = ["--daemon", daemon, "--key", str(folder / "alice.key")]
        for host in ("first", "second"):
            started.append(network.start(
                host, wafermark, "worker", "--daemon", daemon, "--key", str(folder / "node.key"),
                stdout=(folder / f"{host}.log").open("wb"), stderr=subprocess.STDOUT))
        job = folder / "job.yaml"
        job.write_text(small_job(NAME))
        launched = network.run("first", wafermark, "launch", "cluster", str(job), "--workers", "2", "--json", *remote)
        assert launched.returncode == 0, launched.stderr
        run = json.loads(launched.stdout)["run_id"]
        token = wait("the run's secret", lambda: (state / f"runs/{run}/worker.token").exists()
                     and (state / f"runs/{run}/worker.token").read_text())

        def shown() -> dict:
            answer = network.run("second", wafermark, "runs", "show", run, *remote)
            assert answer.returncode == 0, answer.stderr
            return json.loads(answer.stdout)["run"]
        end = wait("the run", lambda: (lambda it: it if it["state"] in ("finished", "failed") else None)(shown()), 120)
        assert end["state"] == "finished", (end, log.read_text()[-3000:])
        for worker in started[2:]:
            assert worker.wait(30) == 0, "a worker did not end well"
        packets = recording.read_bytes()
        assert b"CURVE" in packets and len(packets) > 1_000_000, f"{len(packets)} bytes were recorded"
        for what, text in [("the run's secret", token), ("the job", NAME), ("alice's key", secret(folder / "alice.key")),
                           ("the node's key", secret(folder / "node.key")), ("the state directory", str(state))]:
            assert text.encode() not in packets, f"{what} went over the network in the open"
    finally:
        for process in reversed(started):
            process.terminate()
        for process in started:
            process.wait(60)
    # The same job on the wafer, by a daemon of this host's own.
    reference = subprocess.run(
        [wafermark, "compare", str(job), "--workers", "1", "--state", str(folder / "w"), "--out", str(folder / "r"),
         "--json"], capture_output=True, text=True, timeout=180)
    assert reference.returncode == 0, reference.stderr
    listed = json.loads(subprocess.run(
        [wafermark, "runs", "list", "--state", str(folder / "w"), "--json"], capture_output=True, text=True, check=True,
        timeout=60).stdout)["runs"]
    wafer = next(each["run_id"] for each in listed if each["backend"] == "wafer")
    digest = json.loads(subprocess.run(
        [wafermark, "runs", "show", wafer, "--state", str(folder / "w"), "--json"], capture_output=True, text=True,
        check=True, timeout=60).stdout)["run"]["weights_digest"]
    assert end["weights_digest"] == digest, "the bits are others than the wafer's"
    return f"equal bits over two hosts; {len(packets) >> 20} MiB recorded, and no secret in them"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wafermark")
    wafermark = str(pathlib.Path(parser.parse_args().wafermark).resolve())
    if os.geteuid() != 0 or not shutil.which("ip"):
        print("hosts: SKIPPED: needs root and iproute2 to make network namespaces")
        return
    network = Network()
    try:
        network.__enter__()
    except subprocess.CalledProcessError as error:
        print(f"hosts: SKIPPED: no network namespaces can be made here: {error.stderr.strip()}")
        return
    try:
        with tempfile.TemporaryDirectory(prefix="wm-hosts-") as name:
            print("hosts:", check(wafermark, network, pathlib.Path(name)))
    finally:
        network.__exit__()


if __name__ == "__main__":
    sys.exit(main())
