"""Measures how training scales from one worker process to two, beside PyTorch's DistributedDataParallel over gloo.

Every process computes on one thread. Ours are runs of one job by `wafermark launch cluster` with one worker and with two:
the same lanes, the same sequences, the same bits; each lane is a micro-batch. Beside them two runs of half the batch, with one
worker each, share the machine and exchange nothing: how many times one worker's rate two processes reach here without any
cost of a method. PyTorch's are one process, and two of DDP over gloo with half of the micro-batches each, which exchange
gradients with the last one. In each round all are measured one after the other; a figure is the median over rounds of the
round's median step. Rates count real tokens (PyTorch's sequences are full), since sequences of text are not all full.
"""

import argparse
import contextlib
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
    lanes: int = 2

    @property
    def half(self) -> "Row":
        """What one of two workers does of it."""
        return dataclasses.replace(self, lanes=self.lanes // 2)

    def accumulating(self, lanes: int) -> "Row":
        """The same with as many lanes, and about as many sequences in all."""
        return dataclasses.replace(self, lanes=lanes, steps=max(2, -(-2 * self.steps // lanes)))

    @property
    def batch(self) -> int:
        """Sequences of a step."""
        return self.lanes * self.lane


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
        path = self.folder / f"{row.model}-{row.lanes}.yaml"
        steps = row.warm + row.steps
        path.write_text(
            f"name: scaling-{row.model}\nmodel: {row.model}\n"
            "corpus: {synthetic: {documents: 400, seed: 1}, vocabulary: vocab.txt}\n"
            f"examples: {{short_sequence_share: 0}}\nlanes: {row.lanes}\nseed: 1\nphases:\n  - sequence: {SEQUENCE}\n"
            f"    masked_positions: 19\n    global_batch: {row.batch}\n    steps: {steps}\n    learning_rate: 1e-4\n"
            f"evaluation: {{every_steps: {steps}, sequences: 2}}\n")
        return str(path)

    def run(self, *arguments: str) -> dict:
        command = [self.program, *arguments, "--state", str(self.state), "--json"]
        return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, timeout=900).stdout)

    def launch(self, row: Row, workers: int) -> str:
        return self.run("launch", "cluster", self.job(row), "--workers", str(workers))["run_id"]

    def measure(self, row: Row, workers: int) -> tuple[float, str]:
        """Real tokens a second, and the digest of the weights."""
        return self.result(row, self.launch(row, workers), workers)

    def result(self, row: Row, run_id: str, workers: int) -> tuple[float, str]:
        """The same of a run that has been launched, once it has ended.

        Watching takes 4 ms a second; a command a second that asks how it goes would take nine times that from the workers.
        """
        try:
            run = self.run("runs", "watch", run_id)["run"]
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            sys.exit(f"scaling: {row.model} with {workers} workers did not finish: {error}")
        tokens = run["tokens_per_host_second"] * run["steps_host_seconds"] / run["steps_made"]
        return tokens / statistics.median(run["series"]["step_host_seconds"][row.warm:]), run["weights_digest"]


def torch_rate(row: Row, processes: int) -> float:
    """Tokens a second of PyTorch on `processes` processes of one thread; the global batch is the same."""
    command = [
        sys.executable, str(PEER), "--model", row.model, "--batch", str(row.lane), "--sequence", str(SEQUENCE),
        "--threads", "1", "--warm", str(row.warm), "--steps", str(row.steps), "--processes", str(processes),
        "--accumulation", str(row.lanes // processes),
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    answer = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment, timeout=1800).stdout)
    return row.batch * SEQUENCE / statistics.median(answer["step_seconds"])


def strangers_rate(daemons: list[Daemon], row: Row) -> float:
    """Real tokens a second of two runs at once that have nothing to do with each other."""
    launched = [daemon.launch(row.half, 1) for daemon in daemons]
    return sum(daemon.result(row.half, run_id, 1)[0] for daemon, run_id in zip(daemons, launched))


def compare(daemons: list[Daemon], row: Row, rounds: int, with_torch: bool) -> list[str]:
    rates: dict[str, list[float]] = {"one": [], "two": [], "strangers": [], "torch": [], "ddp": []}
    digests = set()
    for number in range(rounds):
        say(f"scaling {row.model}: round {number + 1} of {rounds}")
        for name, workers in (("one", 1), ("two", 2)):
            rate, digest = daemons[0].measure(row, workers)
            rates[name].append(rate)
            digests.add(digest)
        rates["strangers"].append(strangers_rate(daemons, row))
        if with_torch:
            rates["torch"].append(torch_rate(row, 1))
            rates["ddp"].append(torch_rate(row, 2))
    if len(digests) != 1:
        sys.exit(f"scaling: {row.model} has other bits with two workers than with one: {digests}")
    one, two, strangers = (statistics.median(rates[name]) for name in ("one", "two", "strangers"))
    cells = [
        f"{row.model}, {row.lanes} lanes of {row.lane} sequences", f"{one:.0f}", f"{two:.0f}", f"**{two / one:.3f}**",
        f"{GOAL}", f"{strangers / one:.3f}"]
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
    parser.add_argument(
        "--lanes", type=int, default=2,
        help="micro-batches of a step, over all workers, an even number (default: 2, one for each)")
    parser.add_argument("--no-torch", action="store_true", help="measure ours alone")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error(f"--rounds is {options.rounds}; 1 or more are allowed")
    if options.lanes < 2 or options.lanes % 2:
        parser.error(f"--lanes is {options.lanes}; an even number from 2 on is allowed")
    with contextlib.ExitStack() as stack:
        folders = [stack.enter_context(tempfile.TemporaryDirectory(prefix="wm-scaling-")) for _ in range(2)]
        daemons = [stack.enter_context(Daemon(options.program, pathlib.Path(folder))) for folder in folders]
        rows = [row.accumulating(options.lanes) for row in ROWS if row.model in options.models]
        lines = [compare(daemons, row, options.rounds, not options.no_torch) for row in rows]
    titles = ["real tokens/s", "1 worker", "2 workers", "speed-up", "goal", "two runs that share only the machine"]
    if not options.no_torch:
        titles += ["PyTorch, 1 process", "DDP + gloo, 2", "speed-up", "ours / PyTorch, 1", "ours / DDP, 2"]
    print(f"{machine()}; {datetime.date.today()}; one thread a process, f32, sequences of {SEQUENCE} tokens; "
          f"{options.rounds} rounds in turn, medians.\n")
    print(table(titles, lines))


if __name__ == "__main__":
    main()
