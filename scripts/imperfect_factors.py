#!/usr/bin/env python3
"""What factors that need not divide gain over those that do, and what looking for them takes.

  scripts/imperfect_factors.py NETWORK MACHINE...

Maps NETWORK on each machine with both kinds of factors, one layer at a time, by the `cosearch` that
is found first in PATH. Ratios are of the energy-delay product, imperfect over dividing: layer by
layer (each distinct shape once), then of the whole network.
"""

import json
import statistics
import subprocess
import sys
import time


def mapped(network, machine, factors):
    begin = time.monotonic()
    done = subprocess.run(["cosearch", "map", "-n", network, "-m", machine, "--factors", factors,
                           "-j", "1", "--json"], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout), time.monotonic() - begin


def product(cost):
    return cost["latency_cycles"] * cost["energy"]["total_pj"]


def main():
    network, *machines = sys.argv[1:]
    print(f"{network:<14}  layers  better  least  median  network  seconds: dividing  imperfect")
    for machine in machines:
        (dividing, usual), (imperfect, longer) = (mapped(network, machine, factors)
                                                  for factors in ("dividing", "imperfect"))
        ratios = [product(after) / product(before) for before, after
                  in zip(dividing["layers"], imperfect["layers"]) if before["macs"]]
        better = sum(ratio < 1 - 1e-9 for ratio in ratios)
        print(f"{machine:<14}  {len(ratios):6}  {better:6}  {min(ratios):5.3f}  "
              f"{statistics.median(ratios):6.3f}  {product(imperfect) / product(dividing):7.3f}  "
              f"{usual:17.2f}  {longer:9.2f}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main()
