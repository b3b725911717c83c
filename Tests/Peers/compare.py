"""Measures training steps of wafermark and of PyTorch in turn on this machine and prints a Markdown table.

Both do the same work: BERT pre-training on random full sequences, dropout on, f32, AdamW, only masked positions through the
MLM head. In each round every program makes its steps alone, one after the other (ours, eager, compiled, ours, …), in a
process of its own that warms up first, so that the machine's memory is all its own; a figure is the median over rounds of
the round's median step. torch.compile keeps what it compiled in a folder that is made for the run and removed.
"""

import argparse
import dataclasses
import datetime
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

THREADS = 2
PEER = pathlib.Path(__file__).with_name("torch_step.py")


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of the table: a configuration, the ratio it is to reach, and how many steps a round takes."""

    model: str
    batch: int
    sequence: int
    goal: float
    warm: int
    steps: int

    @property
    def name(self) -> str:
        return f"{self.model}-{self.sequence}-b{self.batch}"


ROWS = [
    Row("tiny", 32, 128, 2.0, warm=5, steps=24),
    Row("mini", 32, 128, 1.7, warm=3, steps=12),
    Row("small", 32, 128, 1.5, warm=3, steps=8),
    Row("base", 16, 128, 1.25, warm=1, steps=3),
    Row("base", 32, 128, 1.25, warm=1, steps=2),
    Row("large", 4, 128, 1.1, warm=1, steps=3),
    Row("mini", 8, 512, 1.5, warm=3, steps=8),
]
# Lanes of one thread each: half of the batch on one, the whole batch on two.
SCALING = [Row("mini", 32, 128, 1.9, 3, 12), Row("small", 32, 128, 1.9, 3, 8), Row("base", 16, 128, 1.9, 1, 3)]


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


class Wafermark:
    """Our program: a process for each round."""

    def __init__(self, program: str, row: Row, threads: int = THREADS, batch: int | None = None) -> None:
        self.arguments = [
            program, "bench", "train", "--model", row.model, "--batch", str(batch or row.batch), "--sequence",
            str(row.sequence), "--threads", str(threads), "--warmup", str(row.warm), "--steps", str(row.steps), "--json",
        ]
        self.batch = batch or row.batch
        self.rounds: list[dict[str, float]] = []

    def measure(self) -> None:
        result = subprocess.run(self.arguments, stdout=subprocess.PIPE, check=True)
        self.rounds.append(json.loads(result.stdout))

    def median(self, key: str) -> float:
        return statistics.median(round[key] for round in self.rounds)

    @property
    def rate(self) -> float:
        return self.batch / self.median("step_seconds_median")


class Torch:
    """PyTorch: a process for each round. Says nothing more once it has failed."""

    def __init__(self, row: Row, compiled: bool, cache: str) -> None:
        self.row = row
        self.seconds: list[float] = []
        self.peak = 0
        self.failed = False
        self.arguments = [
            sys.executable, str(PEER), "--model", row.model, "--batch", str(row.batch), "--sequence", str(row.sequence),
            "--threads", str(THREADS), "--warm", str(row.warm + 1), "--steps", str(row.steps),
        ] + ["--compile"] * compiled
        self.environment = os.environ | {"OMP_NUM_THREADS": str(THREADS), "TORCHINDUCTOR_CACHE_DIR": cache}

    def measure(self) -> None:
        if self.failed:
            return
        result = subprocess.run(self.arguments, stdout=subprocess.PIPE, env=self.environment)
        if result.returncode != 0:
            say(f"{self.row.name}: PyTorch failed with status {result.returncode}")
            self.failed = True
            return
        answer = json.loads(result.stdout)
        self.peak = max(self.peak, answer["peak_rss_bytes"])
        self.seconds.append(statistics.median(answer["step_seconds"]))

    @property
    def rate(self) -> float | None:
        return self.row.batch / statistics.median(self.seconds) if self.seconds and not self.failed else None


def compare(program: str, row: Row, rounds: int, cache: str | None) -> list[str]:
    """Measures a row; the cells of its line. Without a folder for compiled code PyTorch is not compiled."""
    ours = Wafermark(program, row)
    eager = Torch(row, compiled=False, cache="")
    compiled = Torch(row, compiled=True, cache=cache) if cache else None
    for number in range(rounds):
        say(f"{row.name}: round {number + 1} of {rounds}")
        for subject in (ours, eager, compiled):
            if subject:
                subject.measure()
    rates = [peer.rate for peer in (eager, compiled) if peer and peer.rate]
    best = max((peer for peer in (eager, compiled) if peer and peer.rate), key=lambda peer: peer.rate, default=None)
    ratio = f"{ours.rate / max(rates):.2f}" if rates else "-"
    say(f"{row.name}: {ours.rate:.2f} sequences/s, {ratio} times PyTorch's")
    return [
        f"`bench train --model {row.model} --batch {row.batch}" + (f" --sequence {row.sequence}`" if row.sequence != 128 else "`"),
        f"{ours.rate:.3g}",
        f"{eager.rate:.3g}" if eager.rate else "failed",
        "no compiler" if not compiled else f"{compiled.rate:.3g}" if compiled.rate else "failed",
        f"**{ratio}**",
        f"{row.goal}",
        f"{ours.median('gemm_gflops'):.0f} ({100 * ours.median('gemm_efficiency'):.0f} %)",
        gibibytes(max(round["peak_rss_bytes"] for round in ours.rounds)),
        gibibytes(best.peak) if best else "-",
    ]


def scale(program: str, row: Row, rounds: int) -> list[str]:
    """Measures one lane on one thread and two on two; the cells of the line."""
    one = Wafermark(program, row, threads=1, batch=row.batch // 2)
    two = Wafermark(program, row, threads=2)
    for number in range(rounds):
        say(f"scaling {row.model}: round {number + 1} of {rounds}")
        one.measure()
        two.measure()
    return [
        f"{row.model}, {row.batch // 2} sequences a lane", f"{one.rate:.3g}", f"{two.rate:.3g}",
        f"**{two.rate / one.rate:.2f}**", f"{row.goal}",
    ]


def gibibytes(count: float) -> str:
    return f"{count / 2**30:.2f}"


def table(titles: list[str], lines: list[list[str]]) -> str:
    rows = [titles, ["---"] * len(titles), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def machine() -> str:
    """The processor in one line."""
    cpus = pathlib.Path("/proc/cpuinfo").read_text()
    name = next((line.split(":")[1].strip() for line in cpus.splitlines() if line.startswith("model name")), "unknown CPU")
    widest = next((set for set in ("avx512f", "avx2") if f" {set} " in cpus), "no AVX2")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{name}, {os.cpu_count()} cores, {widest}, {memory:.0f} GiB"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="the wafermark program")
    parser.add_argument("--rows", metavar="TEXT", nargs="+", default=[""], help="only rows whose names hold one of these: "
                        + ", ".join(row.name for row in ROWS) + ", scaling-mini, scaling-small, scaling-base")
    parser.add_argument("--rounds", type=int, default=2, help="rounds of each row (default: 2)")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error(f"--rounds is {options.rounds}; 1 or more are allowed")
    rows = [row for row in ROWS if any(text in row.name for text in options.rows)]
    scaled = [row for row in SCALING if any(text in f"scaling-{row.model}" for text in options.rows)]
    if not rows and not scaled:
        parser.error(f"no row's name holds {' or '.join(options.rows)}")

    # torch.compile writes C++ and has the system's compiler build it.
    compiles = bool(os.environ.get("CXX") or shutil.which("g++") or shutil.which("clang++"))
    if not compiles:
        say("there is no C++ compiler, so PyTorch is measured without torch.compile")
    with tempfile.TemporaryDirectory(prefix="wafermark-bench-") as cache:
        lines = [compare(options.program, row, options.rounds, cache if compiles else None) for row in rows]
    scaling = [scale(options.program, row, options.rounds) for row in scaled]

    from importlib.metadata import version

    print(f"{machine()}; {datetime.date.today()}; PyTorch {version('torch')}, {THREADS} threads, f32, sequences of 128 tokens "
          f"unless said; {options.rounds} rounds in turn, medians; sequences/s.\n")
    if lines:
        print(table(["`wafermark …`", "ours", "PyTorch eager", "compiled", "ratio to the better", "goal",
                     "GFLOP/s (share of oneDNN's)", "peak GiB", "PyTorch's"], lines))
        print("\nBoth train on all tokens and predict the masked ones. Ours computes the last layer, beyond its keys and values, "
              "only for\nthe tokens that the heads read (masked and first); PyTorch computes it for all. Its GFLOP/s count what "
              "it computed.\n")
    if scaling:
        print(table(["lanes of one thread each", "1 lane", "2 lanes", "speed-up", "goal"], scaling))


if __name__ == "__main__":
    main()
