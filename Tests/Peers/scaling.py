"""Measures how training scales from one worker process to two, beside PyTorch's DistributedDataParallel over gloo.

Every process computes on one thread. Ours are runs of one job by `wafermark launch cluster` with one worker and with two:
the same lanes, the same sequences, the same bits. PyTorch's are one process, and two of DDP over gloo with half of the batch
each. In each round the four are measured one after the other; a figure is the median over rounds of the round's median
step. Rates count real tokens (PyTorch's sequences are full), since sequences of text are not all full.
"""

import argparse
import dataclasses
import datetime
import json
import os
import pathlib
import statistics
import string
import subprocess
import sys
import tempfile
import time

from compare import machine, say, table

PEER = pathlib.Path(__file__).with_name("torch_step.py")
SEQUENCE = 128
VOCABULARY = 30_522


@dataclasses.dataclass(frozen=True)
class Row:
    """A model, the sequences of a lane, and the steps that a round takes."""

    model: str
    lane: int
    warm: int
    steps: int


ROWS = [Row("mini", 32, 2, 12), Row("small", 32, 1, 7), Row("base", 16, 1, 3)]
GOAL = 1.95


def write_vocabulary(path: pathlib.Path) -> None:
    """A vocabulary of BERT's size that spells words in letters: what the text says is of no matter to its speed."""
    letters = string.ascii_lowercase + string.digits + string.punctuation
    entries = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *("##" + letter for letter in letters)]
    entries += [f"unused{number}" for number in range(VOCABULARY - len(entries))]
    path.write_text("".join(entry + "\n" for entry in entries))


class Daemon:
    """Our program with a state folder of its own; the job's text is prepared once."""

    def __init__(self, program: str, folder: pathlib.Path) -> None:
        self.program = program
        self.folder = folder
        self.state = folder / "state"
        write_vocabulary(folder / "vocab.txt")
        self.process = subprocess.Popen([program, "serve", "--state", str(self.state)], stderr=subprocess.DEVNULL)
        end = time.monotonic() + 30
        while not (self.state / "sockets" / "control").exists():
            if time.monotonic() > end or self.process.poll() is not None:
                sys.exit("scaling: the daemon did not start")
            time.sleep(0.05)

    def __enter__(self) -> "Daemon":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(timeout=60)

    def job(self, row: Row) -> str:
        path = self.folder / f"{row.model}.yaml"
        steps = row.warm + row.steps
        path.write_text(
            f"name: scaling-{row.model}\nmodel: {row.model}\n"
            "corpus: {synthetic: {documents: 400, seed: 1}, vocabulary: vocab.txt}\n"
            f"examples: {{short_sequence_share: 0}}\nlanes: 2\nseed: 1\nphases:\n  - sequence: {SEQUENCE}\n"
            f"    masked_positions: 19\n    global_batch: {2 * row.lane}\n    steps: {steps}\n    learning_rate: 1e-4\n"
            f"evaluation: {{every_steps: {steps}, sequences: 2}}\n")
        return str(path)

    def run(self, *arguments: str) -> dict:
        command = [self.program, *arguments, "--state", str(self.state), "--json"]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=600).stdout)

    def measure(self, row: Row, workers: int) -> tuple[float, str]:
        """Real tokens a second, and the digest of the weights."""
        launched = self.run("launch", "cluster", self.job(row), "--workers", str(workers))
        end = time.monotonic() + 900
        while True:
            run = self.run("runs", "show", launched["run_id"])["run"]
            if run["state"] in ("finished", "failed", "cancelled", "interrupted"):
                break
            if time.monotonic() > end:
                sys.exit(f"scaling: {row.model} with {workers} workers did not end in time")
            time.sleep(1)
        if run["state"] != "finished":
            sys.exit(f"scaling: {row.model} with {workers} workers ended as {run['state']}")
        tokens = run["tokens_per_host_second"] * run["steps_host_seconds"] / run["steps_made"]
        return tokens / statistics.median(run["series"]["step_host_seconds"][row.warm:]), run["weights_digest"]


def torch_rate(row: Row, processes: int) -> float:
    """Tokens a second of PyTorch on `processes` processes of one thread; the global batch is the same."""
    batch = 2 * row.lane // processes
    command = [
        sys.executable, str(PEER), "--model", row.model, "--batch", str(batch), "--sequence", str(SEQUENCE),
        "--threads", "1", "--warm", str(row.warm), "--steps", str(row.steps), "--processes", str(processes),
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    answer = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment, timeout=900).stdout)
    return 2 * row.lane * SEQUENCE / statistics.median(answer["step_seconds"])


def compare(daemon: Daemon, row: Row, rounds: int, with_torch: bool) -> list[str]:
    rates: dict[str, list[float]] = {"one": [], "two": [], "torch": [], "ddp": []}
    digests = set()
    for number in range(rounds):
        say(f"scaling {row.model}: round {number + 1} of {rounds}")
        for name, workers in (("one", 1), ("two", 2)):
            rate, digest = daemon.measure(row, workers)
            rates[name].append(rate)
            digests.add(digest)
        if with_torch:
            rates["torch"].append(torch_rate(row, 1))
            rates["ddp"].append(torch_rate(row, 2))
    if len(digests) != 1:
        sys.exit(f"scaling: {row.model} has other bits with two workers than with one: {digests}")
    one, two = (statistics.median(rates[name]) for name in ("one", "two"))
    cells = [f"{row.model}, {row.lane} sequences a lane", f"{one:.0f}", f"{two:.0f}", f"**{two / one:.3f}**", f"{GOAL}"]
    if with_torch:
        torch, ddp = (statistics.median(rates[name]) for name in ("torch", "ddp"))
        cells += [f"{torch:.0f}", f"{ddp:.0f}", f"{ddp / torch:.3f}", f"{one / torch:.2f}", f"**{two / ddp:.2f}**"]
    say(" | ".join(cells))
    return cells


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", help="the wafermark program")
    parser.add_argument("--models", nargs="+", default=["small", "base"], choices=[row.model for row in ROWS])
    parser.add_argument("--rounds", type=int, default=1, help="rounds of each row (default: 1)")
    parser.add_argument("--no-torch", action="store_true", help="measure ours alone")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error(f"--rounds is {options.rounds}; 1 or more are allowed")
    with tempfile.TemporaryDirectory(prefix="wm-scaling-") as folder, Daemon(options.program, pathlib.Path(folder)) as daemon:
        rows = [row for row in ROWS if row.model in options.models]
        lines = [compare(daemon, row, options.rounds, not options.no_torch) for row in rows]
    titles = ["real tokens/s", "1 worker", "2 workers", "speed-up", "goal"]
    if not options.no_torch:
        titles += ["PyTorch, 1 process", "DDP + gloo, 2", "speed-up", "ours / PyTorch, 1", "ours / DDP, 2"]
    print(f"{machine()}; {datetime.date.today()}; one thread a process, f32, sequences of {SEQUENCE} tokens; "
          f"{options.rounds} rounds in turn, medians.\n")
    print(table(titles, lines))


if __name__ == "__main__":
    main()
