#!/usr/bin/env python3
"""FreeREA over many seeds: the test accuracies of the cells that it chooses, and their mean.

    scripts/freerea.py STUDY DATA [--scored N]... [--seeds 30] [--program PROGRAM]

Runs `PROGRAM run STUDY --define data=DATA --seed N` for N = 1 .. SEEDS, once for each number of
networks to score, and once as the study says where none is given.
"""
import argparse
import collections
import json
import math
import pathlib
import subprocess
import sys
import tempfile


def chosen(program, study, data, seed, folder):
    """Accuracy in percent and genotype of the one network that the search evaluated."""
    output = subprocess.run(
        [program, "run", study, "--define", f"data={data}", "--seed", str(seed), "--json",
         "-o", str(folder / f"{pathlib.Path(study).stem}_{seed}.h5")],
        check=True, capture_output=True, text=True).stdout
    front = json.loads(output)["front"]
    return front[0]["accuracy"], front[0]["network"]


def with_scored(study, scored, folder):
    """The study with another number of networks to score."""
    text = pathlib.Path(study).read_text()
    changed = text.replace("{name: free-rea}", f"{{name: free-rea, scored: {scored}}}")
    if changed == text:
        sys.exit(f"{study}: has no line 'strategy: {{name: free-rea}}' to change")
    copy = folder / f"scored_{scored}.yaml"
    copy.write_text(changed)
    return copy


def report(label, found):
    accuracies = [accuracy for accuracy, _ in found]
    mean = sum(accuracies) / len(found)
    deviation = math.sqrt(sum((a - mean) ** 2 for a in accuracies) / max(1, len(found) - 1))
    print(f"{label}: {len(found)} seeds: mean {mean:.2f} %, standard deviation {deviation:.2f}, "
          f"least {min(accuracies):.2f}, most {max(accuracies):.2f}")
    (accuracy, network), times = collections.Counter(found).most_common(1)[0]
    print(f"  most often ({times} times): {accuracy:.2f} %  {network}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("study")
    parser.add_argument("data")
    parser.add_argument("--scored", type=int, action="append", default=[])
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--program", default="cosearch")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        studies = [(f"{arguments.study}, {scored} scored",
                    with_scored(arguments.study, scored, folder)) for scored in arguments.scored]
        for label, study in studies or [(arguments.study, arguments.study)]:
            report(label, [chosen(arguments.program, study, arguments.data, seed, folder)
                           for seed in range(1, arguments.seeds + 1)])


if __name__ == "__main__":
    main()
