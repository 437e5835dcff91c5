#!/usr/bin/env python3
"""Predict all, measure the front: how many networks of NAS-Bench-201 have to be trained for a front, and how
far from the true one it is.

    scripts/measured_front.py DATA [--known 100] [--seeds 10] [--model gaussian-process] [--program PROGRAM]

DATA holds nas/nb201_accuracy.csv.gz, whose CIFAR-10 accuracies stand in for training. For each seed, KNOWN
rows are drawn at random, a predictor learns from them, and examples/accuracy/nas_bench_201_front.yaml is
run: with the predictor alone, measuring the front, and measuring at most 10 networks of it; then with as many
networks drawn at random as were known and measured together, and no predictor. Regret: of each design on the
true front, the accuracy that it has more than the best design found that needs neither more time nor more
energy, in percentage points, by true accuracies.
"""
import argparse
import csv
import gzip
import pathlib
import random
import statistics
import subprocess
import tempfile

import h5py

STUDY = pathlib.Path(__file__).resolve().parents[1] / "examples/accuracy/nas_bench_201_front.yaml"


class Runs:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.text = STUDY.read_text()
        with gzip.open(pathlib.Path(options.data) / "nas/nb201_accuracy.csv.gz", "rt") as file:
            self.rows = list(csv.DictReader(file))

    def call(self, *words):
        subprocess.run([self.options.program, "--quiet", *map(str, words)], check=True,
                       stdout=subprocess.DEVNULL)

    def table(self, rows):
        path = self.folder / "rows.csv"
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, self.rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
        return path

    def front(self, changes, predictor="none"):
        """The designs on the front of the study with `changes` made: (canonical network, time, energy);
        and how many networks were measured."""
        text = self.text
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        study, store = self.folder / "study.yaml", self.folder / "study.h5"
        study.write_text(text)
        self.call("run", study, "-o", store, "--force", "--define",
                  f"data={pathlib.Path(self.options.data).resolve()}", "--define",
                  f"predictor={predictor}")
        with h5py.File(store) as file:
            points = {name: file["points"][name][:]
                      for name in ("id", "network", "time", "energy", "strategy")}
            canonical = file["networks/canonical"].asstr()[:]
            self.accuracies = dict(zip(canonical, file["networks/accuracy"][:]))
            front = set(file["front/id"][:])
        measured = len(set(points["network"][points["strategy"] == 1]))
        designs = [(canonical[network], time, energy)
                   for id, network, time, energy in zip(points["id"], points["network"],
                                                        points["time"], points["energy"])
                   if id in front]
        return designs, measured


def regret(truth, accuracies, found):
    """Mean and worst over the true front; and the share of it that nothing found is as cheap as."""
    losses, missing = [], 0
    for network, time, energy in truth:
        cheap = [accuracies[other] for other, t, e in found if t <= time and e <= energy]
        missing += not cheap
        if cheap:
            losses.append(max(0.0, accuracies[network] - max(cheap)))
    return statistics.mean(losses), max(losses), missing / len(truth)


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--known", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--model", default="gaussian-process")
    parser.add_argument("--program", default="cosearch")
    options = parser.parse_args()
    sources = "  predictor: ${predictor}\n  then: {table: acc_cifar10}"
    table_alone = (sources, "  table: acc_cifar10")
    with tempfile.TemporaryDirectory() as folder:
        runs = Runs(options, pathlib.Path(folder))
        truth, _ = runs.front([table_alone])
        accuracies = runs.accuracies
        results = {}
        for seed in range(1, options.seeds + 1):
            draw = random.Random(seed)
            predictor = runs.folder / "p.h5"
            runs.call("predictor", "train", runs.table(draw.sample(runs.rows, options.known)),
                      "--space", "nas-bench-201", "--genotype", "arch", "--target", "acc_cifar10",
                      "--model", options.model, "--seed", seed, "-o", predictor)
            for label, changes in (("predicted alone", [(sources, "  predictor: ${predictor}")]),
                                   ("front measured", []),
                                   ("at most 10 of it",
                                    [("acc_cifar10}", "acc_cifar10, at_most: 10}")])):
                found, measured = runs.front(changes, predictor)
                results.setdefault(label, []).append((measured, *regret(truth, accuracies, found)))
                if label == "front measured":
                    trained = options.known + measured
            drawn = runs.table(draw.sample(runs.rows, trained))
            found, _ = runs.front([table_alone,
                                   ("${data}/nas/nb201_accuracy.csv.gz", str(drawn))])
            results.setdefault("as many at random", []).append(
                (trained, *regret(truth, accuracies, found)))
    print(f"{len(truth)} designs on the true front; {options.model}, {options.known} networks known; "
          f"means over {options.seeds} draws\n")
    print(f"{'':18} {'measured':>8} {'regret':>7} {'worst':>7} {'nothing as cheap':>17}")
    for label, rows in results.items():
        measured, mean, worst, missing = (statistics.mean(column) for column in zip(*rows))
        print(f"{label:18} {measured:8.1f} {mean:7.3f} {worst:7.3f} {100 * missing:15.1f} %")


if __name__ == "__main__":
    main()
