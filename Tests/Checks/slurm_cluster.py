"""A Slurm cluster on this host, of Debian's own programs: munged, slurmctld and several slurmd, each a node of its own.

Everything lies in a folder of the caller's and runs at ports that the system gives; nothing of the host's own Slurm, if it
has one, is touched. Used as a context manager: what was started is ended when it is left.
"""

import os
import pathlib
import shutil
import socket
import subprocess
import time

PROGRAMS = ["munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "scancel", "sinfo"]


def missing() -> list[str]:
    """The programs that are not installed here."""
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    return [program for program in PROGRAMS if not shutil.which(program, path=path)]


def free_ports(count: int) -> list[int]:
    """Ports that nobody has at this moment; all are held until the last is known, so that none comes twice."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


class Unavailable(Exception):
    """Slurm's own daemons don't come up on this host."""


class SlurmCluster:
    """`nodes` nodes of one core each, called n1, n2, …"""

    def __init__(self, folder: pathlib.Path, nodes: int = 4):
        self.folder = folder
        self.nodes = nodes
        self.processes: list[subprocess.Popen] = []
        self.environment = os.environ | {
            "SLURM_CONF": str(folder / "slurm.conf"),
            "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin",
        }

    def __enter__(self) -> "SlurmCluster":
        try:
            self._start()
        except SystemExit as error:
            self.__exit__()
            raise Unavailable(str(error)) from error
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        # slurmd's steps end with their nodes; the rest in the order in which they need each other.
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def run(self, *command: str, check: bool = True) -> str:
        """What one of Slurm's programs prints."""
        outcome = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60)
        if check and outcome.returncode != 0:
            raise SystemExit(f"slurm: {' '.join(command)} failed:\n{outcome.stdout}{outcome.stderr}{self.logs()}")
        return outcome.stdout

    def logs(self) -> str:
        """The ends of all logs, for errors."""
        return "".join(
            f"\n-- {log.name}\n{log.read_text(errors='replace')[-2000:]}" for log in sorted(self.folder.glob("*.log")))

    def _spawn(self, name: str, *command: str) -> None:
        log = open(self.folder / f"{name}.log", "ab")
        self.processes.append(
            subprocess.Popen(command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log))

    def _start(self) -> None:
        folder = self.folder
        folder.chmod(0o755)
        for name in ["spool", "state"] + [f"node-n{number + 1}" for number in range(self.nodes)]:
            (folder / name).mkdir(mode=0o755)
        key = folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        munge = folder / "munge.socket"
        self._spawn(
            "munged", "munged", "--foreground", "--force", f"--socket={munge}", f"--key-file={key}",
            f"--pid-file={folder}/munged.pid", f"--seed-file={folder}/munged.seed", f"--log-file={folder}/munged.own.log")
        self._wait("munged", munge.exists)
        ports = free_ports(self.nodes + 1)
        host = socket.gethostname().split(".")[0]
        user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
        nodes = "\n".join(
            f"NodeName=n{number + 1} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[number + 1]} CPUs=1 State=UNKNOWN"
            for number in range(self.nodes))
        (folder / "slurm.conf").write_text(f"""ClusterName=wafermark
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={munge}
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/node-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
ReturnToService=2
SlurmdParameters=config_overrides
KillWait=5
{nodes}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
""")
        self._spawn("slurmctld", "slurmctld", "-D")
        for number in range(self.nodes):
            self._spawn(f"slurmd-n{number + 1}", "slurmd", "-D", "-N", f"n{number + 1}")
        self._wait("the nodes", lambda: self._idle() == self.nodes)

    def _idle(self) -> int:
        lines = self.run("sinfo", "--noheader", "--Node", "--format=%N %T", check=False).splitlines()
        return sum(line.endswith(" idle") for line in lines)

    def _wait(self, what: str, condition, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return
            for process in self.processes:
                if process.poll() is not None:
                    raise SystemExit(f"slurm: {process.args[0]} ended by itself:{self.logs()}")
            time.sleep(0.1)
        raise SystemExit(f"slurm: {what} did not come up within {seconds:.0f} s:{self.logs()}")
