#!/usr/bin/env python3
"""Writes the validation cases that come from other tools' reference data.

  scripts/validation_cases.py timeloop DATA > codesign/data/validation/timeloop.yaml
  scripts/validation_cases.py zigzag DATA > codesign/data/validation/zigzag.yaml

DATA is the folder of reference data. A small subset only: the tests labelled "reference" read all.
"""

import itertools
import json
import math
import re
import sys
from pathlib import Path

TENSORS = {"Inputs": "input", "Weights": "weights", "Outputs": "output"}
LETTERS = {"Inputs": "I", "Weights": "W", "Outputs": "O"}

# Its cycles are one too many, from Timeloop's floating point.
ROUNDED = {"9f50430b9f"}

TIMELOOP = """# Written by scripts/validation_cases.py.
kind: validation
schema_version: 1
name: Timeloop's costs of its mappings
about: >-
  Four mappings a machine, found by Timeloop's mapper (M) or scrambled (R), under Timeloop's
  accounting. Every value is one word. Timeloop's W is our height.
sources:
  timeloop:
    known: read
    text: NVlabs/timeloop v3.0.3 with its built-in energy table, run for each mapping
cases:
"""

ZIGZAG = """# Written by scripts/validation_cases.py.
kind: validation
schema_version: 1
name: ZigZag's mappings of its machines
about: >-
  Convolutions of AlexNet and ResNet-18 at 8 bits with sums of 16, each mapped for latency or energy:
  by ZigZag's search with uneven mappings (each tensor cuts the loops where it likes), by us with the
  best mapping of our levels. "overlapping": with registers that receive while they are in use.
  Layers that take us more than half a minute are left out, most of meta-prototype-like's.
sources:
  zigzag:
    known: read
    text: >-
      KULeuven-MICAS/zigzag 3.8.5, run on its own machines and networks (LOMA, lpf_limit 6, its
      mapping files)
cases:
"""

# Convolutions by number whose best mapping takes at most a second, and at most half a minute. The
# others take minutes and are left out.
QUICK = {("tpu_like", "alexnet", "latency"): range(1, 6),
         ("tpu_like", "resnet18", "latency"): range(2, 12),
         ("tpu_like", "resnet18", "energy"): range(2, 12),
         ("tesla_npu_like", "resnet18", "latency"): (4, 6, 7, 10),
         ("meta_prototype", "resnet18", "latency"): (4,)}
SLOW = {("tpu_like", "resnet18", "latency"): (1,),
        ("tesla_npu_like", "alexnet", "latency"): (1, 2, 3, 5),
        ("tesla_npu_like", "resnet18", "latency"): (2, 3, 5, 8, 9, 11),
        ("tesla_npu_like", "resnet18", "energy"): (4, 6, 7, 10),
        ("meta_prototype", "resnet18", "latency"): (7, 10)}

# Registers that receive while they are in use, with as much room for a tile as before. AlexNet's last
# layers then take seconds.
OVERLAPPING = ":register_buffers=double,weight_words=256,sum_words=4"


def inline(fields):
    return "{" + ", ".join(f"{key}: {value}" for key, value in fields.items()) + "}"


def without_ones(fields):
    return {key: value for key, value in fields.items() if value not in (1, (1, 1))}


def timeloop_layer(p):
    layer = {key: p[key] for key in ("N", "K", "C", "P", "Q", "R", "S")}
    layer.update(stride_h=p["Wstride"], stride_w=p["Hstride"],
                 dilation_h=p["Wdilation"], dilation_w=p["Hdilation"])
    return inline({**without_ones(layer), "bits": 1, "sum_bits": 1})


def timeloop_levels(row):
    """Loops as dimensions and tiles: what is left of each after the loop."""
    left = {key: row["problem"][key] for key in "NKCPQRS"}
    for level in row["mapping"]:
        loops = []
        for dimension, bound, kind in level["loops"]:
            left[dimension] //= bound
            axis = "" if kind == "T" else kind + ":"
            if bound > 1:
                loops.append(f"{axis}{dimension}{left[dimension]}")
        keep = "".join(letter for name, letter in LETTERS.items() if name in level["keep"])
        yield f'{{keep: "{keep}", loops: "{" ".join(loops)}"}}'


def timeloop_counts(row):
    for level, tensors in row["levels"].items():
        if tensors:
            counts = {TENSORS[name]: [one["reads"], one["fills"], one["updates"]]
                      for name, one in tensors.items()}
            yield f"          {level}: {inline(counts)}"


def timeloop_case(row):
    letter = "M" if row["source"] == "mapper" else "R"
    what = f'{row["network"]} {row["layer"]}' if letter == "M" else "scrambled"
    print(f'  - name: "{row["arch"]}, {what} ({letter} {row["id"]})"')
    print(f'    machine: timeloop-{row["arch"]}')
    print("    accounting: timeloop")
    print(f'    layers: [{timeloop_layer(row["problem"])}]')
    print("    mapping:")
    for level in timeloop_levels(row):
        print("      - " + level)
    print("    values:")
    print(f'      - {{quantity: cycles, value: {row["cycles"]}, source: timeloop}}')
    print(f'      - {{quantity: energy, value: {row["energy_pJ"]}, source: timeloop}}')
    print("      - quantity: equal counts")
    print("        source: timeloop")
    print("        counts:")
    print("\n".join(timeloop_counts(row)))


def timeloop(data):
    lines = (data / "timeloop/rows.jsonl").read_text().splitlines()
    rows = [row for row in map(json.loads, lines)
            if not row["link_transfers"] and row["id"] not in ROUNDED]
    # Our flat256 keeps everything everywhere.
    rows = [row for row in rows
            if row["arch"] != "flat256" or all(len(level["keep"]) == 3 for level in row["mapping"])]
    print(TIMELOOP, end="")
    for machine in ("eyeriss256", "simba", "flat256"):
        of_machine = [row for row in rows if row["arch"] == machine]
        found = [row for row in of_machine if row["source"] == "mapper"][:2]
        scrambled = [row for row in of_machine if row["source"] == "random"]
        for row in found + scrambled[:4 - len(found)]:
            timeloop_case(row)


def zigzag_layer(row):
    d = row["loop_dims"]
    stride = int(re.match(r"IX = (\d+)\*OX", row["equation_relations"][0])[1])
    side = math.isqrt(row["operand_size_bits"]["I"] // row["precision_bits"]["I"]
                      // (d["C"] * d["G"]))
    pad = max(0, (d["OY"] - 1) * stride + d["FY"] - side) // 2
    layer = {"G": d["G"], "K": d["K"], "C": d["C"], "P": d["OY"], "Q": d["OX"], "R": d["FY"],
             "S": d["FX"], "stride": stride}
    return inline({**without_ones(layer), **({"pad": pad} if pad else {}), "sum_bits": 16})


def zigzag_case(name, machine, row, slow):
    objective = row["objective"]
    print(f'  - name: "{name}"')
    print(f'    machine: "{machine}"')
    print(f"    objective: {objective}")
    if slow:
        print("    slow: true")
    print(f"    layers: [{zigzag_layer(row)}]")
    if objective == "latency":
        print(f'    values: [{{quantity: cycles, value: {row["latency_cycles"]:.0f}, '
              "source: zigzag}]")
    else:
        print(f'    values: [{{quantity: energy, value: {row["energy"]:.0f}, source: zigzag}}]')


def zigzag(data):
    lines = (data / "zigzag/layers.jsonl").read_text().splitlines()
    rows = [row for row in map(json.loads, lines)
            if row["type"] == "Conv" and row["workload"] in ("alexnet.onnx", "resnet18.onnx")]

    def key_of(row):
        return row["hardware"], row["workload"].removesuffix(".onnx"), row["objective"]

    print(ZIGZAG, end="")
    for key, group in itertools.groupby(rows, key_of):
        hardware, network, objective = key
        machine = hardware.replace("_", "-").removesuffix("-like") + "-like"
        for number, row in enumerate(group, start=1):
            slow = number in SLOW.get(key, ())
            if number not in QUICK.get(key, ()) and not slow:
                continue
            name = f"{machine}, {network} {number}"
            zigzag_case(name, machine, row, slow)
            if machine == "tpu-like" and objective == "latency":
                slow = slow or (network == "alexnet" and number > 2)
                zigzag_case(name + ", overlapping", machine + OVERLAPPING, row, slow)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("timeloop", "zigzag"):
        sys.exit(__doc__)
    (timeloop if sys.argv[1] == "timeloop" else zigzag)(Path(sys.argv[2]))
