#!/usr/bin/env python3
"""Writes docs/validation.md from what `cosearch validate --slow --json` prints.

  scripts/validation_page.py PROGRAM > docs/validation.md       runs it (minutes)
  scripts/validation_page.py REPORT.json > docs/validation.md   reads what it printed

Every number in the page comes from the report, those in the prose included.
"""

import json
import subprocess
import sys
from pathlib import Path

PAGE = """\
# Validation

Written by `scripts/validation_page.py` from what `cosearch validate --slow --json` prints; no number is typed in. Without
`--slow` the command takes seconds. `--cases FILE.yaml` takes cases of yours instead
([schema](../codesign/schema/validation.schema.json), examples in `codesign/data/validation/`);
`--rtl FOLDER` calibrates on cycles of Gemmini's RTL.

Each reference has a source and how it is known: *read* in the source itself; *transcribed* by others, whose copy was
read; *recalled* from memory; *derived* here. Errors are ours / reference - 1. An error is a result: the command
fails only when a case cannot run. What must be equal is a test too (`tests/codesign/study/validation_test.cpp`).

## What the errors say

**Counting is exact.** {exact} values of Timeloop's mappings and of nests counted by hand are equal: accesses of every
level and tensor, cycles and energy.

**Counts of silicon follow from the mapping.** Run as the Eyeriss chip ran, by its published mappings, the model finds
the published accesses of the global buffer within {buffer_low} to {buffer_high} for all layers but CONV3; the paper apparently
leaves out those that fill the buffer, which are the difference in CONV1. CONV3 is off by {conv3} with its published parameters and by
{conv3_as_4} with those of CONV4: one of the paper's two tables is likely a slip, and a cost model can see it. Words from DRAM are
{dram_low} to {dram_high} more than published, most where most inputs are zeros: the chip compresses them, the model does not.

**Another tool's energies.** With ZigZag's own prices, the most frugal mapping of a layer costs the same to a median of
{zigzag_energy} ({zigzag_energy_count} layers, found independently). Strided 1 x 1 layers cost us less ({zigzag_strided}): we read
only inputs that are used.

**One buffer is where latency errs.** A level with one buffer stops everything below it while it exchanges tiles. Eyeriss
overlaps part of what its pads exchange with the work on it. With pads that overlap nothing, as the file says, the
chip's own mappings are {chip_low} to {chip_high} off on the chip; with pads that overlap everything {overlap_low} to {overlap_high}: the chip
lies between in {between} of {layers} layers. The fastest mappings of both machines are {best_single_low} to {best_single_high} and {best_low} to {best_high} off.
The same holds for ZigZag, which lets registers be filled while they are used: with registers that do, our median
error in cycles on `tpu-like` is {tpu_like_overlap} instead of {tpu_like}. On `tesla-npu-like` and `meta-prototype-like`, whose
multipliers have one weight each and single buffers, errors grow to {tesla_worst} and {meta_worst}. Whoever knows that transfers overlap should say `buffers: double` and the room.

**Bandwidth-bound work is predicted well, control is not there.** The TPU's MLPs and LSTM0 are within {tpu_low} to
{tpu_high}. LSTM1 is off by {lstm1}: nothing of its small matrices, vector operations and dependences is in the stand-in of equal
square layers. CNN0 is off by {cnn0}: the machine's file moves inputs and outputs of each layer over the DRAM of the weights,
while the chip keeps them in its unified buffer from layer to layer. Fusion of layers is not modelled.

**NVDLA.** Rates are {nvdla_low} to {nvdla_high} off for 256 multipliers and more. The most multipliers lose most, in the first layer:
its 3 channels occupy 3 multipliers of a row of up to 64, where the hardware has a mode for images. With 64
multipliers and 1 GB/s ours is {nvdla_64} off: perhaps its best mappings use the little bandwidth better than the schedule
behind the estimate.

**Simba.** The package is {simba} off in latency on ResNet-50. Some of that is luck: where its weights come from and how
fast is assumed, and the time between layers is left out.

**Areas are far too small.** {areas}: from {area_low} to {area_high}. The model has multipliers with a fixed control, memory cells,
and wires of a network; it has no array overhead of small memories, no post-processing units, control, interfaces or
white space. For NVDLA's five sizes the ratio of ours to the estimate is {nvdla_area_low} to {nvdla_area_high}: nearly a constant. Compare areas of
designs with each other, not with a budget in mm2.

**Power is off both ways.** Eyeriss {eyeriss_power}, ShiDianNao {shidiannao_power}: too low, as there is no clock tree, no
control and no input or output. NVDLA is too high ({nvdla_power_low} to
{nvdla_power_high}): every multiplication pays for its operands here, zero or not, and the scaling from 45 to 16 nm
is that of a generic process. Simba's published efficiency is its best at any voltage; ours ({simba_efficiency}) is at the
technology's nominal one, and energy goes with the square. The prices themselves, relative to a multiplication in 65 nm: DRAM {dram_price}, global buffer {buffer_price}, pads
{pad_prices}. The hop from PE to PE is {hop_price}: wire alone, without the registers, routers and the pad's FIFOs that the
published figure includes.

"""


class Report:
    def __init__(self, report):
        self.suites = report["suites"]

    def rows(self, suite, quantity=None, case=""):
        """Rows of suites whose name starts with `suite`."""
        return [row for one in self.suites if one["suite"].startswith(suite) for row in one["rows"]
                if quantity in (None, row["quantity"]) and case in row["case"]]

    def error(self, suite, quantity, case=""):
        row, = self.rows(suite, quantity, case)
        return percent(row["error_percent"])


def percent(value):
    text = f"{value:+.1f}" if abs(value) < 100 else f"{value:+.0f}"
    return ("0" if float(text) == 0 else text) + " %"


def bounds(name, rows):
    errors = [row["error_percent"] for row in rows]
    return {name + "_low": percent(min(errors)), name + "_high": percent(max(errors))}


def median_error(rows):
    errors = sorted(abs(row["error_percent"]) for row in rows)
    middle = len(errors) // 2
    return f"{(errors[middle] + errors[-1 - middle]) / 2:.1f} %"


def is_overlapping(row):
    return row["case"].endswith("overlapping")


def eyeriss_numbers(report):
    e = "Eyeriss"
    chip = report.rows(e, "moved", "as the chip ran")
    ran = report.rows(e, "latency on chip", "as the chip ran")
    single = [row for row in ran if "overlap" not in row["case"]]
    overlapping = [row for row in ran if "overlap" in row["case"]]
    price = lambda quantity, level: report.error(e, quantity, "machine, " + level)
    return {
        **bounds("buffer", [row for row in chip
                            if row["case"].endswith("buffer") and "CONV3" not in row["case"]]),
        **bounds("dram", [row for row in chip if row["case"].endswith("DRAM")]),
        **bounds("chip", single),
        **bounds("overlap", overlapping),
        **bounds("best_single", [row for row in report.rows(e, "latency on chip", "best")
                                 if "overlap" not in row["case"]]),
        **bounds("best", report.rows(e, "latency on chip", "best, pads overlap")),
        "layers": len(overlapping),
        "between": sum(one["error_percent"] >= 0 >= other["error_percent"]
                       for one, other in zip(single, overlapping, strict=True)),
        "conv3": report.error(e, "moved", "CONV3 as the chip ran, global buffer"),
        "conv3_as_4": report.error(e, "moved", "parameters, global buffer"),
        "eyeriss_power": report.error(e, "chip power", "all five"),
        "dram_price": price("word energy", "DRAM"),
        "buffer_price": price("word energy", "global buffer"),
        "pad_prices": price("word energy", "partial sum pad") + " and "
                      + price("word energy", "filter pad"),
        "hop_price": price("hop energy", "global buffer"),
    }


def zigzag_numbers(report):
    z = "ZigZag"
    cycles, energy = report.rows(z, "cycles"), report.rows(z, "energy", "tpu-like")
    worst = lambda machine: percent(max(row["error_percent"] for row in cycles
                                        if row["case"].startswith(machine)))
    tpu_like = [row for row in cycles if row["case"].startswith("tpu-like")]
    return {
        "zigzag_energy": median_error(energy),
        "zigzag_energy_count": len(energy),
        "zigzag_strided": report.error(z, "energy", "tpu-like, resnet18 4"),
        "tpu_like": median_error([row for row in tpu_like if not is_overlapping(row)]),
        "tpu_like_overlap": median_error([row for row in tpu_like if is_overlapping(row)]),
        "tesla_worst": worst("tesla-npu-like"),
        "meta_worst": worst("meta-prototype-like"),
    }


def chip_numbers(report):
    areas = [row for row in report.rows("", "area")]
    nvdla_areas = [row["ours"] / row["reference"] for row in report.rows("NVDLA", "area")]
    return {
        **bounds("tpu", [row for row in report.rows("TPU", "throughput")
                         if row["case"].startswith(("MLP", "LSTM0"))]),
        "lstm1": report.error("TPU", "throughput", "LSTM1"),
        "cnn0": report.error("TPU", "throughput", "CNN0"),
        **bounds("nvdla", [row for row in report.rows("NVDLA", "rate") if row["case"][:3] != "64 "]),
        "nvdla_64": report.error("NVDLA", "rate", "64 multipliers"),
        **bounds("nvdla_power", report.rows("NVDLA", "chip power")),
        "nvdla_area_low": f"{min(nvdla_areas):.2f}", "nvdla_area_high": f"{max(nvdla_areas):.2f}",
        **bounds("area", areas),
        "areas": f"{len(areas)} areas",
        "simba": report.error("Simba", "latency"),
        "simba_efficiency": report.error("Simba", "chip efficiency"),
        "shidiannao_power": report.error("ShiDianNao", "chip power"),
    }


def exact_count(report):
    rows = report.rows("Timeloop") + report.rows("Nests")
    assert all(abs(row["error_percent"]) < 1e-5 for row in rows)
    return {"exact": len(rows)}


def number(value):
    return f"{value:,.0f}" if value >= 1e5 else f"{value:.4g}"


def cells(*values):
    return "| " + " | ".join(str(value) for value in values) + " |"


def summary_line(one):
    if abs(one["largest_error_percent"]) < 1e-5:
        return f"* {one['quantity']}: {one['count']} values, all equal"
    line = f"* {one['quantity']}: {one['count']} values, ours / reference {one['median_ratio']:.3f} (median), "
    line += f"error {one['median_error_percent']:.1f} % (median), farthest {percent(one['largest_error_percent'])} "
    line += f"({one['farthest']})"
    return line + ("" if one["spearman"] is None else f", Spearman {one['spearman']:.3f}")


def section(suite, sources):
    yield f"## {suite['suite']}\n\n{suite['about']}\n"
    yield cells("case", "quantity", "unit", "reference", "ours", "error", "source")
    yield cells("---", "---", "---", "---:", "---:", "---:", "---")
    for row in suite["rows"]:
        source = row["known"], row["source"]
        if source not in sources:
            sources.append(source)
        yield cells(row["case"], row["quantity"], row["unit"], number(row["reference"]), number(row["ours"]),
                    percent(row["error_percent"]), f"{row['known']} [{sources.index(source) + 1}]")
    yield ""
    yield from (summary_line(one) for one in suite["summaries"])
    yield ""


def read_report(argument):
    if Path(argument).suffix == ".json":
        return json.loads(Path(argument).read_text())
    done = subprocess.run([argument, "validate", "--slow", "--json"], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    raw = read_report(sys.argv[1])
    if any(suite["left_out"] for suite in raw["suites"]):
        sys.exit("validation_page: the report lacks slow cases (validate --slow)")
    report = Report(raw)
    page = PAGE.format(**exact_count(report), **eyeriss_numbers(report), **zigzag_numbers(report),
                       **chip_numbers(report))
    sources = []
    for suite in raw["suites"]:
        page += "\n".join(section(suite, sources)) + "\n"
    page += "## Sources\n\n"
    page += "\n".join(f"{i}. {known}: {text}" for i, (known, text) in enumerate(sources, start=1)) + "\n"
    print(page, end="")


if __name__ == "__main__":
    main()
