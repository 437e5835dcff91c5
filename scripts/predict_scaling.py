#!/usr/bin/python3
"""Predicts how a search scales over ranks from what was measured on one machine.

    scripts/predict_scaling.py --layer 40us --serial 0.6us --layers 1000000 --points 20000000 \\
        --latency 20us --bytes-per-second 1e9

A search costs `layers` layers, 0.03 to 0.06 s of them at a time (codesign/model_evaluator.cpp), and
stores `points` points on rank 0. Per part: two broadcasts and two gathers, each log2(ranks) messages
deep; 8 bytes per layer go out and 24 come back through rank 0. So

    time(n) = layers * layer / n + points * serial + parts(n) * 4 * log2(n) * latency
              + layers * 32 / bytes_per_second * (n - 1) / n

with parts(n) = layers * layer / (n * 0.03 s), at least 1. Efficiency is time(1) / (n * time(n)).
Prints a Markdown table.
"""

import argparse
import math

UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0}
PART_SECONDS = 0.03
BYTES_PER_LAYER = 32


def seconds(text):
    for unit, scale in UNITS.items():
        if text.endswith(unit) and text[: -len(unit)].replace(".", "", 1).isdigit():
            return float(text[: -len(unit)]) * scale
    raise argparse.ArgumentTypeError(f"'{text}': expected a time such as 40us")


def predicted(ranks, options):
    parallel = options.layers * options.layer / ranks
    parts = max(1.0, parallel / PART_SECONDS)
    messages = parts * 4 * math.log2(ranks) * options.latency
    transfer = options.layers * BYTES_PER_LAYER / options.bytes_per_second * (ranks - 1) / ranks
    return parallel + options.points * options.serial + messages + transfer


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layer", type=seconds, required=True, help="one layer cost, on one rank")
    parser.add_argument("--serial", type=seconds, required=True,
                        help="what rank 0 does alone for each point: search, sums, store")
    parser.add_argument("--layers", type=float, required=True)
    parser.add_argument("--points", type=float, required=True)
    parser.add_argument("--latency", type=seconds, required=True, help="of one message")
    parser.add_argument("--bytes-per-second", type=float, required=True)
    options = parser.parse_args()
    alone = predicted(1, options)
    print("| ranks | time [s] | speed-up | efficiency |\n| ---: | ---: | ---: | ---: |")
    for ranks in (2**power for power in range(11)):
        time = predicted(ranks, options)
        print(f"| {ranks:,} | {time:,.2f} | {alone / time:,.1f} | {100 * alone / time / ranks:.0f} % |")


if __name__ == "__main__":
    main()
