"""Trains a small job to its target and has MLCommons' compliance checker (mlperf-logging) read the log of it.

The checker is asked for the newest edition of MLPerf Training whose rules know BERT in the open division, which is the form
that the log has; every rule must pass.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import mlperf_logging.compliance_checker as checker

from small_job import small_job

TO_TARGET = "optimizer: lamb\ntarget: { mlm_loss: 6.2, consecutive: 1 }\n"

def ruleset() -> tuple[str, str]:
    """The newest edition with rules of BERT for the open division, and the checker's folder of it."""
    folder = pathlib.Path(checker.__file__).parent
    editions = []
    for rules in folder.glob("*/open_common.yaml"):
        name = rules.parent.name.removeprefix("training_")
        knows = re.search(r"submission_benchmark.*?'bert'", rules.read_text(), re.DOTALL)
        if re.fullmatch(r"\d+\.\d+\.\d+", name) and knows and (rules.parent / "open_bert.yaml").exists():
            editions.append((tuple(map(int, name.split("."))), name, rules.parent.name))
    if not editions:
        raise SystemExit(f"mlperf: no edition in {folder} has rules of BERT for the open division")
    return max(editions)[1:]


def check(log: pathlib.Path, edition: str) -> str:
    """What the checker says; empty where it accepts the log."""
    command = [sys.executable, "-m", "mlperf_logging.compliance_checker", "--usage", "training", "--ruleset", edition]
    # It leaves a log of its own where it is started.
    found = subprocess.run(command + [str(log)], cwd=log.parent, capture_output=True, text=True, check=False)
    said = found.stdout + found.stderr
    return "" if found.returncode == 0 and "SUCCESS" in said else said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    options = parser.parse_args()
    edition, _ = ruleset()
    with tempfile.TemporaryDirectory(prefix="wm-") as name:
        folder = pathlib.Path(name)
        (folder / "job.yaml").write_text(small_job("to-a-target", more=TO_TARGET))
        state = ["--state", str(folder / "s")]
        subprocess.run(
            [options.program, "compare", str(folder / "job.yaml"), "--workers", "2", "--out", str(folder / "out"), *state],
            check=True, capture_output=True)
        listed = subprocess.run(
            [options.program, "runs", "list", "--json", *state], check=True, capture_output=True, text=True).stdout
        ids = re.findall(r'"run_id"\s*:\s*"([^"]+)"', listed)
        if len(ids) != 2:
            raise SystemExit(f"mlperf: expected two runs, found {ids}")
        log = folder / "result.txt"
        subprocess.run(
            [options.program, "report", *ids, "--clock", "mlperf", "--mlperf-log", str(log), "--out",
             str(folder / "report"), *state], check=True, capture_output=True)
        logs = sorted(folder.glob("result-*.txt"))
        if len(logs) != 2:
            raise SystemExit(f"mlperf: expected a log each, found {[path.name for path in logs]}")
        problems = [f"{path.name}: {said}" for path in logs if (said := check(path, edition))]
        # The checker must be able to refuse: without the end of the run it has to.
        broken = folder / "broken.txt"
        broken.write_text("".join(line for line in logs[0].read_text().splitlines(True) if '"run_stop"' not in line))
        if not check(broken, edition):
            problems.append("the checker accepts a log without run_stop")
    for problem in problems:
        print(f"mlperf: {problem}", file=sys.stderr)
    if problems:
        sys.exit(1)
    print(f"mlperf: the checker accepts the logs by the rules of BERT, open division, training {edition}")


if __name__ == "__main__":
    main()
