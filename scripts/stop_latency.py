#!/usr/bin/env python3
"""How long a search takes to end after it was told to: the distribution, for searches of several kinds.

    scripts/stop_latency.py COSEARCH [--stops 20] [--seed 1]

Each search is started as often as asked and gets Ctrl-C, SIGTERM or three Ctrl-C after a random part
of the time that it would need. Printed are quantiles of the wall time and of the processor time from
the signal to the end of the process, and how many of the stores needed their journal to be read. Every
stop must end with exit code 5 in a study that can be exported; some of them are resumed to the end and
compared with an undisturbed run. Exits with 0 only where all of that holds.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STOPPED = 5

SPACE = """kind: study
schema_version: 1
name: stopped
networks: {{space: {space}{sample}}}
accelerators:
  grids:
    - template: nvdla
      pe_rows: [2, 4, 8, 12, 16, 24]
      pe_columns: [2, 4, 8, 12, 16, 24]
      pe_buffer: [64B, 256B]
objectives: [{objectives}]
strategy: {strategy}
"""


def study(space, strategy, objectives="latency, energy", sample=""):
    return SPACE.format(space=space, strategy=strategy, objectives=objectives, sample=sample)


# What dominates each: reading the networks, costing layers, summing and storing, a large front.
CASES = {
    "every network of NAS-Bench-201": study("nas-bench-201", "{name: exhaustive}"),
    "alphanet: layer costs": study("alphanet", "{name: exhaustive}", sample=", sample: 300"),
    "four objectives: a large front": study("nas-bench-201", "{name: exhaustive}",
                                            "latency, energy, area, macs", ", sample: 3000"),
    "semi-decoupled": study("nas-bench-201", "{name: semi-decoupled, layers: 3}"),
    "regularised evolution": study("nas-bench-201", "{name: regularised-evolution, population: 500, "
                                   "tournament: 25, evaluations: 300000}"),
}


def processor_seconds(pid):
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except FileNotFoundError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(program, folder, *options):
    return subprocess.Popen([program, "run", "study.yaml", "-o", "out.h5", "--quiet", *options],
                            cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def stop(program, folder, after, how, options):
    """Wall and processor seconds from the signal to the end; None where it had ended by itself."""
    process = run(program, folder, *options)
    time.sleep(after)
    used = processor_seconds(process.pid)
    if used is None or process.poll() is not None:
        process.communicate()
        return None
    begin = time.monotonic()
    for number in how:
        process.send_signal(number)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode == 0:
        return None
    if process.returncode == -signal.SIGINT or process.returncode == -signal.SIGTERM:
        return None  # before main(): nothing was promised
    if process.returncode != STOPPED or errors:
        sys.exit(f"exit code {process.returncode}: {errors.decode()}")
    return wall, usage.ru_utime + usage.ru_stime - used


def quantiles(values):
    values = sorted(values)
    return "  ".join(f"{values[min(len(values) - 1, int(q * len(values)))]:6.2f}"
                     for q in (0.5, 0.9, 1))


def front_of(program, folder, store):
    subprocess.run([program, "pareto", f"{store}.h5", "-o", f"{store}.csv"], cwd=folder, check=True,
                   capture_output=True)
    return (folder / f"{store}.csv").read_bytes()


def measure(program, name, text, stops, rng):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "study.yaml").write_text(text)
        begin = time.monotonic()
        if run(program, folder).wait() != 0:
            sys.exit(f"{name}: the undisturbed search fails")
        duration = time.monotonic() - begin
        shutil.move(folder / "out.h5", folder / "reference.h5")
        walls, processors, left = [], [], 0
        while len(walls) < stops:
            resumes = rng.random() < 0.3
            for path in () if resumes else folder.glob("out.h5*"):
                path.unlink()
            how = rng.choice(((signal.SIGINT,), (signal.SIGTERM,), (signal.SIGINT,) * 3))
            times = stop(program, folder, rng.uniform(0, 1.1 * duration), how,
                         ("--resume",) if resumes else ("--force",))
            if times is None:
                continue
            walls.append(times[0])
            processors.append(times[1])
            left += (folder / "out.h5.journal").exists()
            if (folder / "out.h5").exists() or (folder / "out.h5.journal").exists():
                exported = subprocess.run([program, "pareto", "out.h5", "--json"], cwd=folder,
                                          capture_output=True)
                if exported.returncode not in (0, 4):
                    sys.exit(f"{name}: not exportable: {exported.stderr.decode()}")
        if run(program, folder, "--resume").wait() != 0:
            sys.exit(f"{name}: cannot be resumed")
        if front_of(program, folder, "out") != front_of(program, folder, "reference"):
            sys.exit(f"{name}: resumed, it finds another front")
        print(f"{name:32} {duration:7.1f}   {quantiles(walls)}   {quantiles(processors)}   "
              f"{left:3} of {stops}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("program")
    parser.add_argument("--stops", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    program = str(Path(options.program).resolve())
    rng = random.Random(options.seed)
    print(f"load average {os.getloadavg()[0]:.2f}; seconds from the signal to the end\n"
          f"{'search':32} {'whole':>7}   {'wall: half, 90 %, all':20}   "
          f"{'processor':20}   left to the journal")
    for name, text in CASES.items():
        measure(program, name, text, options.stops, rng)


if __name__ == "__main__":
    main()
