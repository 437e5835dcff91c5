#!/usr/bin/python3
"""Writes docs/performance.md from what scripts/bench.sh measured: FOLDER with its results -> stdout."""

import json
import os
import pathlib
import statistics
import sys

# What is shown, in this order: (benchmark, what it is, unit of an item).
ROWS = [
    ("layer_cost/convolution_nvdla", "a 3x3 convolution of ResNet-50 on `nvdla-256`, mapping chosen", "layers"),
    ("layer_cost/convolution_eyeriss", "the same on `eyeriss-168`", "layers"),
    ("layer_cost/convolution_shidiannao", "the same on `shidiannao-64`", "layers"),
    ("layer_cost/depthwise_nvdla", "a depthwise layer of MobileNetV2 on `nvdla-256`", "layers"),
    ("layer_cost/depthwise_eyeriss", "the same on `eyeriss-168`", "layers"),
    ("layer_cost/depthwise_shidiannao", "the same on `shidiannao-64`", "layers"),
    ("layer_cost/fully_connected_nvdla", "the classifier of ResNet-50 on `nvdla-256`", "layers"),
    ("layer_cost/fully_connected_eyeriss", "the same on `eyeriss-168`", "layers"),
    ("layer_cost/fully_connected_shidiannao", "the same on `shidiannao-64`", "layers"),
    ("evaluation_on_three_levels", "given mappings of ResNet-50's layers, three levels, exact accounting", "mappings"),
    ("evaluation_on_three_levels_as_timeloop", "the same, Timeloop's accounting", "mappings"),
    ("evaluation_on_six_levels", "the same on the six levels of Eyeriss-256, exact accounting", "mappings"),
    ("evaluation_on_six_levels_as_timeloop", "the same, Timeloop's accounting", "mappings"),
    ("evaluation_by_layer_size/side:28/dilation:1", "one mapping of a 3x3 convolution of a 28x28 image", "mappings"),
    ("evaluation_by_layer_size/side:224/dilation:1", "the same, 224x224", "mappings"),
    ("evaluation_by_layer_size/side:1792/dilation:1", "the same, 1792x1792", "mappings"),
    ("evaluation_by_layer_size/side:28/dilation:2", "the same dilated, whose windows have gaps, 28x28", "mappings"),
    ("evaluation_by_layer_size/side:224/dilation:2", "the same, 224x224", "mappings"),
    ("evaluation_by_layer_size/side:1792/dilation:2", "the same, 1792x1792", "mappings"),
    ("lower_nas_bench_201", "NAS-Bench-201 cells to networks of numbered layers", "networks"),
    ("evaluate_pairs/jobs:1/real_time", "designs of NAS-Bench-201, layer costs known, one job", "designs"),
    ("evaluate_pairs/jobs:2/real_time", "the same, two jobs", "designs"),
    ("insert/few_survive/objectives:3", "archive, three objectives, random points", "trials"),
    ("insert/few_survive/objectives:4", "archive, four objectives, random points", "trials"),
    ("insert/all_survive/objectives:3", "archive, three objectives, nothing beats anything (worst case)", "trials"),
    ("insert/all_survive/objectives:4", "archive, four objectives, nothing beats anything (worst case)", "trials"),
    ("append_points/1000", "store, seven metrics, batches of 1,000", "points"),
    ("append_points/65536", "store, seven metrics, batches of 65,536", "points"),
    ("read_points", "store, a million points read back", "points"),
]

# Mappers: (benchmark, machine and space, objective, aim for the median and the worst layer).
MAPPERS = [
    ("optimal_mapping_for_edp", "three levels, 256 PEs, unconstrained", "latency x energy", "10, 200"),
    ("optimal_mapping_for_latency", "the same", "latency, then energy", "10, 200"),
    ("optimal_mapping_for_energy", "the same", "energy, then latency", "10, 200"),
    ("optimal_mapping_with_bypass", "the same, and every level may pass every tensor by", "latency x energy", ""),
    ("optimal_mapping_on_eyeriss", "six levels, Eyeriss-256 with its shipped constraints", "latency x energy", "5"),
    ("optimal_mapping_of_three_networks", "three levels: all layers of ResNet-50, MobileNetV2 and BERT-base", "latency x energy", ""),
]

PAGE = """\
# How fast

Written by `scripts/bench.sh`, which measures every number of ours on this page. Machine: {cores} cores, {processor}.
{load}

Each number is the median of five runs; the spread is their standard deviation over their mean. Time is CPU time of one
thread, so waiting for a disk is not in it; for designs of NAS-Bench-201 it is wall time.

| what | per second | spread |
| --- | ---: | ---: |
{rows}

What an evaluation costs depends on the number of loops, not on the size of the layer; except where a tensor bypasses a level and its windows
are spread over units around loops of the same dimension: such steps are walked.
No mapping evaluated allocates memory: over the whole loop of each benchmark the process allocated {allocations} times, which is
google-benchmark's own.

## Optimal mappings

`tests/bench/nest_bench.cpp`, ResNet-50's {layers} distinct layers one by one on one thread, CPU time; each mapping comes with the proof that nothing in
its map space is better ([the mapper](mapper.md)). The published bar is AccelForge's Turbo-Charged Mapper, optimal too: 17 s.

| machine, space | minimised | median layer | worst layer | all layers | aims, ms |
| --- | --- | ---: | ---: | ---: | --- |
{mappers}

`cosearch --help`, from start to end: {median_ms:.1f} ms (median of {starts}; slowest {worst_ms:.1f} ms). The aim is below
100 ms: nothing that is slow to load is linked, LibTorch included.

Whole searches are timed where their results are: [results](results.md), section 4.

## Ten million points, fifteen million designs

`cosearch_scale` (`tests/bench/scale.cpp`), once each, wall time, the disk's included:

{scale}

## Beside other tools

Measured by this project on a 2-core Debian 12 machine (AMD EPYC), one thread, per second of CPU time; with the tools installed by hand, so
no script here repeats the other tools' rows:

| tool | what is counted | per second | how |
| --- | --- | ---: | --- |
| Timeloop 3.0.3, its mapper | mappings fully evaluated | 120 to 2,200 | medians 316 and 289 on its eyeriss-256 and simba-chip machines; the fastest on three levels without constraints |
| MAESTRO 4eb08d1, `-O2` | layers under a given mapping | 480 to 4,900 | about 2,000 for ResNet-50 with two levels of clusters, 4,880 with one, 482 for its Eyeriss mapping; files read and written included |
| ZigZag 3.8.5, LOMA | mappings evaluated | 119 to 244 | median 145 over three networks and five machines, CPython 3.11 |
| cosearch | mappings fully evaluated | {evaluations} | three levels and six, both accountings |
| cosearch, one layer | layers, the template's mapping chosen | {slowest} to {fastest} | `tests/bench/layer_cost_bench.cpp` |

What can be compared, and what cannot:

* **MAESTRO** is nearest: a layer in, its cost out. But it is given the mapping, and we choose one; and it reads and writes text files
  around every run, which the benchmark above does not.
* **Timeloop** and **ZigZag** search: their mappers look at up to thousands of mappings of a layer and keep the best. Our optimal mapper
  looks at a few hundred whole mappings, proves the rest worse, and on every stored best mapping of Timeloop's is as good or better
  (`ctest -R codesign_reference -V`). Evaluations compare best under Timeloop's accounting: the exact one counts more, fill and drain among it.
* The numbers of designs per second are sums over layer costs that are kept, which any of these tools would allow: networks of a
  space share their layers, so nearly all the work is done once per distinct layer and machine.
"""


def mapper_rows(mapping):
    rows = []
    for name, space, objective, aim in MAPPERS:
        report = mapping[name]
        rows.append(f"| {space} | {objective} | {report['median_ms']:.1f} ms | {report['worst_ms']:.0f} ms "
                    f"| {report['cpu_time'] / 1000:.2f} s | {aim} |")
    return "\n".join(rows)


def table_row(what, table):
    rate = three_digits(table["layers"] / table["cpu_seconds"])
    return (f"{what}: {table['layers']:,} layers, {rate} a CPU-second", f"{table['seconds']:.1f} s", "")


def scale_rows(store, search):
    """The table of scale: what, measured, aimed at."""
    rows = [
        (f"points appended, each batch on the disk in the journal and in the HDF5 file ({store['points']:,} points)",
         f"{three_digits(store['append_per_second'])} points/s", "200,000 points/s"),
        ("longest append of a batch of 65,536", f"{store['longest_append_ms']:.0f} ms", ""),
        ("bytes a point: journal, store", f"{store['journal_bytes_per_point']:.1f}, {store['store_bytes_per_point']:.1f}", ""),
        ("folding the journal of a killed search", f"{store['fold_s']:.1f} s", ""),
        ("opening the store", f"{store['open_ms']:.1f} ms", ""),
        ("`pareto`: the stored front", f"{store['pareto_stored_ms'] / 1000:.1f} s", ""),
        ("`pareto --where`: the front among all points anew", f"{store['pareto_filtered_s']:.1f} s", ""),
        ("peak memory of all this", f"{store['peak_memory_mib']:.0f} MiB", "1 GB"),
        (f"NAS-Bench-201 on 1,000 accelerators, {search['pairs']:,} designs: reading the study", f"{search['load_s']:.1f} s", ""),
        table_row("its table of layer costs on 2 threads, templates' tilings", search["table_templates"]),
        table_row("the same, optimal mapper", search["table_optimal"]),
        ("every design evaluated on 2 threads, given the table", f"{search['evaluate_s']:.1f} s", "10 s"),
        ("the same with every point journalled and stored", f"{search['evaluate_and_store_s']:.1f} s", ""),
        ("peak memory, without and with the store",
         f"{search['peak_memory_without_store_mib']:.0f}, {search['peak_memory_mib']:.0f} MiB", "2 GB"),
    ]
    lines = ["| what | measured | aim |", "| --- | ---: | ---: |"]
    return "\n".join(lines + [f"| {what} | {value} | {aim} |" for what, value, aim in rows])


def reports(folder):
    """Every aggregate of every benchmark: (name, kind) -> report."""
    return {(run["run_name"], run["aggregate_name"]): run
            for path in sorted(folder.glob("*_bench.json"))
            for run in json.loads(path.read_text())["benchmarks"]}


def medians(runs):
    """By benchmark: (items per second, spread in percent)."""
    return {name: (run["items_per_second"], 100 * runs[name, "cv"]["items_per_second"])
            for (name, kind), run in runs.items() if kind == "median"}


def three_digits(value):
    """12,345,678 as 12.3 million, 12,345 as 12,300: more digits are noise."""
    rounded = float(f"{value:.3g}")
    return f"{rounded / 1e6:.3g} million" if rounded >= 1e6 else f"{rounded:,.0f}"


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return "processor unknown"


def load_text(load):
    text = f"Its load average before the first benchmark was {load:.2f}"
    return f"{text}: **it was busy with other work**, and on a quiet machine these are better." if load > 0.5 else f"{text}."


def main():
    folder = pathlib.Path(sys.argv[1])
    runs = reports(folder)
    measured = medians(runs)
    mapping = {name: runs[name, "median"] for name, *_ in MAPPERS}
    for name in mapping:
        measured.pop(name)
    evaluations = [per_second for name, (per_second, _) in measured.items() if name.startswith("evaluation_on_")]
    allocations = max(runs[name, "median"]["allocations_in_loop"] for name, _ in runs if name.startswith("evaluation_"))
    layers = [per_second for name, (per_second, _) in measured.items() if name.startswith("layer_cost/")]
    rows = []
    for name, what, unit in ROWS:
        per_second, spread = measured.pop(name)
        rows.append(f"| {what} | {three_digits(per_second)} {unit} | {spread:.0f} % |")
    if measured:
        sys.exit(f"performance_page: no row for {', '.join(measured)}")
    starts = [int(line) / 1000 for line in (folder / "starts_us").read_text().split()]
    load = float((folder / "load").read_text())
    page = PAGE.format(cores=os.cpu_count(), processor=processor(), load=load_text(load), rows="\n".join(rows),
                       mappers=mapper_rows(mapping), allocations=f"{allocations:.0f}",
                       layers=f"{mapping['optimal_mapping_for_edp']['layers']:.0f}",
                       evaluations=f"{three_digits(min(evaluations))} to {three_digits(max(evaluations))}",
                       slowest=three_digits(min(layers)), fastest=three_digits(max(layers)),
                       scale=scale_rows(*(json.loads((folder / f"scale_{name}.json").read_text()) for name in ("store", "search"))),
                       median_ms=statistics.median(starts), worst_ms=starts[-1], starts=len(starts))
    print(page, end="")


if __name__ == "__main__":
    main()
