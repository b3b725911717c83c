#!/usr/bin/env python3
"""Golden values for Sources/Report/Statistics, from NumPy and SciPy.

    report_statistics.py --write FILE   writes the golden file that Tests/ReportTests reads
    report_statistics.py --check FILE   fails where the file no longer agrees with the installed NumPy and SciPy

Quantiles are numpy.quantile's default (Hyndman and Fan, type 7) and must agree to rounding. Intervals are random, so
theirs are checked within a tolerance: percentile bootstraps of single values, of a median and of a ratio of medians by
scipy.stats.bootstrap, and a moving-block bootstrap written out below with NumPy.
"""
import argparse
import json
import math
import sys

import numpy as np
import scipy
from scipy import stats

RESAMPLES = 20_000


def samples():
    """Two series of step times: noise around a level, and slow stretches that last several steps."""
    random = np.random.default_rng(20_261_124)

    def series(count, level):
        noise = np.empty(count)
        noise[0] = random.normal()
        for index in range(1, count):
            noise[index] = 0.8 * noise[index - 1] + 0.6 * random.normal()
        return np.round(level * (1 + 0.04 * noise + 0.01 * random.exponential(size=count)), 9)

    return series(200, 0.141), series(150, 0.128)


def seeds():
    """Times of repeated runs on two backends: many, so that the ends of a median's interval are not a few far values."""
    random = np.random.default_rng(20_261_126)
    return np.round(40 + 3 * random.normal(size=101), 6), np.round(36 + 2 * random.normal(size=91), 6)


def percentile(data, statistic, seed):
    """SciPy's percentile bootstrap of a statistic."""
    found = stats.bootstrap(
        data, statistic, n_resamples=RESAMPLES, method="percentile", vectorized=True,
        random_state=np.random.default_rng(seed))
    return [float(found.confidence_interval.low), float(found.confidence_interval.high)]


def block_bootstrap(first, second, first_rest, second_rest, seed):
    """The interval of the ratio of totals when blocks of ceil(n^(1/3)) consecutive steps are drawn."""
    random = np.random.default_rng(seed)

    def totals(values, rest):
        block = math.ceil(np.cbrt(len(values)))
        blocks = math.ceil(len(values) / block)
        starts = random.integers(0, len(values) - block + 1, size=(RESAMPLES, blocks))
        index = (starts[:, :, None] + np.arange(block)).reshape(RESAMPLES, -1)[:, : len(values)]
        return values[index].sum(axis=1) + rest

    ratios = totals(first, first_rest) / totals(second, second_rest)
    return [float(end) for end in np.quantile(ratios, [0.025, 0.975])]


def golden():
    first, second = samples()
    shares = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1]
    mine, theirs = seeds()
    return {
        "source": f"Tests/Checks/report_statistics.py with NumPy {np.__version__}, SciPy {scipy.__version__}",
        "first": first.tolist(),
        "second": second.tolist(),
        "first_rest": 4.2,
        "second_rest": 3.1,
        "shares": shares,
        "first_quantiles": [float(np.quantile(first, share)) for share in shares],
        "first_median_standard_error": float(
            np.sqrt(np.pi / 2 / len(first)) * stats.iqr(first, scale="normal")),
        "single_step_interval": percentile(
            (first, second), lambda x, y, axis: x.sum(axis=axis) / y.sum(axis=axis), seed=1),
        "block_interval": block_bootstrap(first, second, 4.2, 3.1, seed=2),
        "seeds": mine.tolist(),
        "other_seeds": theirs.tolist(),
        "median_interval": percentile((mine,), np.median, seed=3),
        "median_ratio_interval": percentile(
            (mine, theirs), lambda x, y, axis: np.median(x, axis=axis) / np.median(y, axis=axis), seed=4),
    }


def disagreements(found, expected):
    for key in (
        "first", "second", "first_rest", "second_rest", "shares", "first_quantiles", "first_median_standard_error",
        "seeds", "other_seeds",
    ):
        if not np.allclose(found[key], expected[key], rtol=1e-12, atol=0):
            yield f"{key} differs"
    for key in ("single_step_interval", "block_interval", "median_interval", "median_ratio_interval"):
        width = expected[key][1] - expected[key][0]
        if not np.allclose(found[key], expected[key], rtol=0, atol=0.05 * width):
            yield f"{key}: {found[key]} in the file, {expected[key]} now"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--write", metavar="FILE")
    group.add_argument("--check", metavar="FILE")
    arguments = parser.parse_args()
    values = golden()
    if arguments.write:
        with open(arguments.write, "w", encoding="utf-8") as file:
            json.dump(values, file)
            file.write("\n")
        return 0
    with open(arguments.check, encoding="utf-8") as file:
        problems = list(disagreements(json.load(file), values))
    for problem in problems:
        print(problem, file=sys.stderr)
    print("statistics: " + ("differ" if problems else "agree"))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
