"""Runs jobs by `wafermark serve --launcher slurm` on a real Slurm of this host: four nodes, each a slurmd of its own.

A run by four workers must have the bits of the wafer's and put one on each node; a worker that is cancelled in Slurm is lost,
with Slurm's word for it, and the run goes on to the same bits; a run that is cancelled leaves no job, whether its workers
run or wait; no secret is in a job's script or in what Slurm tells of it; and each run's key is gone with it.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import slurm_cluster
from small_job import small_job

CHECKPOINTS = "checkpoints: { every_steps: 10 }\n"


class Site:
    """A daemon that has a Slurm cluster start its workers."""

    SLURM = ["--launcher", "slurm", "--workers-listen", "tcp://127.0.0.1:0", "--workers-host", "127.0.0.1",
             "--heartbeat-seconds", "5"]

    def __init__(self, wafermark: str, cluster: slurm_cluster.SlurmCluster, folder: pathlib.Path,
                 options: list[str] = SLURM):
        self.wafermark = wafermark
        self.cluster = cluster
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.state = folder / "s"
        self.log = open(folder / "serve.log", "wb")
        self.daemon = subprocess.Popen(
            [wafermark, "serve", "--state", str(self.state), "--no-dashboard", *options],
            env=cluster.environment, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.wait("the daemon", (self.state / "sockets/control").exists)

    def close(self) -> None:
        self.daemon.terminate()
        status = self.daemon.wait(90)
        assert status == 0, f"the daemon ended with {status}: {self.said()}"

    def said(self) -> str:
        return (self.folder / "serve.log").read_text(errors="replace")[-4000:]

    def run(self, *arguments: str) -> str:
        outcome = subprocess.run(
            [self.wafermark, *arguments, "--state", str(self.state)], capture_output=True, text=True, timeout=60)
        if outcome.returncode != 0:
            raise SystemExit(f"slurm: wafermark {' '.join(arguments)}: {outcome.stderr}{self.said()}")
        return outcome.stdout

    def launch(self, backend: str, steps: int, workers: int = 1) -> str:
        job = self.folder / f"job-{steps}.yaml"
        job.write_text(small_job("slurm", more=CHECKPOINTS).replace("steps: 60", f"steps: {steps}"))
        more = ["--workers", str(workers)] if backend == "cluster" else []
        return json.loads(self.run("launch", backend, str(job), "--json", *more))["run_id"]

    def show(self, run: str) -> dict:
        return json.loads(self.run("runs", "show", run, "--json"))["run"]

    def events(self, run: str) -> list[dict]:
        return json.loads(self.run("runs", "events", run, "--json"))["events"]

    def wait_for(self, run: str, state: str, seconds: float = 180) -> dict:
        def is_there() -> bool:
            found = self.show(run)["state"]
            if found in ("failed", "cancelled", "interrupted") and found != state:
                raise SystemExit(f"slurm: run {run} is {found}: {self.events(run)}{self.said()}{self.cluster.logs()}")
            return found == state
        self.wait(f"run {run} to be {state}", is_there, seconds)
        return self.show(run)

    def jobs(self, run: str) -> dict[str, tuple[str, str, str]]:
        """Name, state and node of the run's jobs, by their numbers, ended ones too."""
        lines = self.cluster.run(
            "squeue", "--noheader", "--states=all", "--format=%i|%j|%T|%N").splitlines()
        fields = [line.split("|") for line in lines]
        return {number: (name, state, node) for number, name, state, node in fields
                if name.startswith(f"wafermark-{run}-")}

    def alive(self, run: str) -> dict[str, tuple[str, str, str]]:
        return {number: job for number, job in self.jobs(run).items()
                if job[1] in ("PENDING", "RUNNING", "COMPLETING", "CONFIGURING")}

    def wait(self, what: str, condition, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return
            if self.daemon.poll() is not None:
                raise SystemExit(f"slurm: the daemon ended by itself: {self.said()}")
            time.sleep(0.1)
        raise SystemExit(f"slurm: waited {seconds:.0f} s for {what}: {self.said()}{self.cluster.logs()}")


def check_training(site: Site, reference: str) -> None:
    run = site.launch("cluster", 60, workers=4)
    folder = site.state / "runs" / run
    site.wait("the run's jobs", lambda: len(site.jobs(run)) == 4)
    secrets = [(folder / "worker.token").read_text(),
               (folder / "worker.key").read_text().split("secret ")[1].split()[0]]
    told = site.cluster.run("scontrol", "show", "job", "--oneliner", "--details")
    for number in site.jobs(run):
        script = site.folder / f"{number}.sh"
        site.cluster.run("scontrol", "write", "batch_script", number, str(script), check=False)
        told += script.read_text() if script.exists() else ""
    assert "srun" in told, "the scripts were read"
    assert not [secret for secret in secrets if secret in told], "a secret is in a job"
    end = site.wait_for(run, "finished")
    assert end["weights_digest"] == reference, (end["weights_digest"], reference)
    site.wait("the jobs to end", lambda: not site.alive(run))
    jobs = site.jobs(run)
    assert {job[1] for job in jobs.values()} == {"COMPLETED"}, jobs
    assert {job[2] for job in jobs.values()} == {"n1", "n2", "n3", "n4"}, jobs
    assert not (folder / "worker.key").exists() and not (folder / "worker.token").exists()
    assert json.loads(site.run("keys", "list", "--json"))["keys"] == []


def check_loss(site: Site, reference: str) -> None:
    run = site.launch("cluster", 600, workers=2)
    site.wait("steps", lambda: site.show(run)["steps_made"] > 20)
    number = sorted(site.alive(run))[0]
    site.cluster.run("scancel", number)
    end = site.wait_for(run, "finished")
    assert end["weights_digest"] == reference, "the bits are others"
    words = " ".join(event["message"] for event in site.events(run) if event["kind"] == "worker_lost")
    assert "CANCELLED" in words or "silent" in words, words


def check_cancel(site: Site) -> None:
    run = site.launch("cluster", 100_000, workers=2)
    site.wait("steps", lambda: site.show(run)["steps_made"] > 5)
    site.run("runs", "cancel", run)
    site.wait_for(run, "cancelled")
    assert not site.alive(run), site.alive(run)
    # Two nodes are given to somebody else, so that two of four workers wait for them.
    site.cluster.run("sbatch", "--parsable", "--ntasks=2", "--nodes=2", "--job-name=other", "--output=/dev/null",
                     "--wrap=sleep 300")
    run = site.launch("cluster", 100_000, workers=4)
    site.wait("waiting workers", lambda: sum(job[1] == "PENDING" for job in site.alive(run).values()) == 2)
    site.run("runs", "cancel", run)
    site.wait_for(run, "cancelled")
    assert not site.alive(run), site.alive(run)
    site.cluster.run("scancel", "--name=other")


def check_refusal(wafermark: str, cluster: slurm_cluster.SlurmCluster, folder: pathlib.Path) -> None:
    """What sbatch refuses is the run's failure, in sbatch's words."""
    folder.mkdir()
    job = folder / "job.yaml"
    job.write_text(small_job("slurm"))
    daemon = subprocess.Popen(
        [wafermark, "serve", "--state", str(folder / "s"), "--no-dashboard", "--launcher", "slurm", "--workers-listen",
         "tcp://127.0.0.1:0", "--slurm-option=--partition=none"], env=cluster.environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 30
        while not (folder / "s/sockets/control").exists():
            assert time.monotonic() < end and daemon.poll() is None, "the daemon did not start"
            time.sleep(0.1)
        run = json.loads(subprocess.run(
            [wafermark, "launch", "cluster", str(job), "--state", str(folder / "s"), "--json"],
            capture_output=True, text=True, check=True, timeout=60).stdout)["run_id"]
        while True:
            shown = json.loads(subprocess.run(
                [wafermark, "runs", "show", run, "--state", str(folder / "s"), "--json"], capture_output=True,
                text=True, check=True, timeout=60).stdout)["run"]
            if shown["state"] == "failed":
                break
            assert time.monotonic() < end + 60, shown
            time.sleep(0.2)
        assert "sbatch" in shown["failure"] and "partition" in shown["failure"], shown["failure"]
    finally:
        daemon.terminate()
        daemon.wait(30)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wafermark")
    wafermark = str(pathlib.Path(parser.parse_args().wafermark).resolve())
    missing = slurm_cluster.missing()
    if missing:
        print(f"slurm: SKIPPED: not installed here: {', '.join(missing)} (Debian: slurm-wlm, munge)")
        return
    try:
        check_all(wafermark)
    except slurm_cluster.Unavailable as error:
        print(f"slurm: SKIPPED: Slurm's daemons don't come up on this host: {error}")


def check_all(wafermark: str) -> None:
    with tempfile.TemporaryDirectory(prefix="wm-slurm-") as name:
        folder = pathlib.Path(name)
        (folder / "slurm").mkdir()
        with slurm_cluster.SlurmCluster(folder / "slurm") as cluster:
            references = {}
            # By a daemon that starts its own worker: a wafer takes two cores, and no node here has them.
            local = Site(wafermark, cluster, folder / "w", options=[])
            try:
                for steps in (60, 600):
                    references[steps] = local.wait_for(local.launch("wafer", steps), "finished")["weights_digest"]
            finally:
                local.close()
            site = Site(wafermark, cluster, folder)
            try:
                for check in (lambda: check_training(site, references[60]), lambda: check_loss(site, references[600]),
                              lambda: check_cancel(site)):
                    check()
            finally:
                site.close()
            check_refusal(wafermark, cluster, folder / "refused")
    print("slurm: four nodes; equal bits, a lost worker, two cancelled runs and a refused one as they should be")


if __name__ == "__main__":
    sys.exit(main())
