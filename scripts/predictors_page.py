#!/usr/bin/env python3
"""Runs the commands that docs/predictors.md shows and writes what they print below them.

  scripts/predictors_page.py PROGRAM DATA          every command (an hour; most of it the neural models)
  scripts/predictors_page.py PROGRAM DATA WORD     those that contain WORD

PROGRAM is cosearch; DATA is the folder of nb201_accuracy.csv.gz, nb201_zerocost.csv.gz and
nb201_latency_ms.csv.gz, which the page calls $DATA. Times are those of the machine it runs on.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).resolve().parents[1] / "docs" / "predictors.md"
BLOCK = re.compile(r"```console\n\$ (cosearch .*?[^\\])\n(.*?)```\n", re.DOTALL)


def run(program, data, command):
    words = command.replace("\\\n", " ").replace("$DATA", data).split()
    quiet = {"OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([program, "--quiet", *words[1:]], stdout=subprocess.PIPE, text=True,
                          check=True, env=os.environ | quiet)
    return "\n".join(line.rstrip() for line in done.stdout.splitlines()) + "\n"


def main():
    program, data, *word = sys.argv[1:]

    def renewed(match):
        command = match.group(1)
        if word and word[0] not in command:
            return match.group(0)
        print(command, file=sys.stderr)
        return f"```console\n$ {command}\n{run(program, data, command)}```\n"

    PAGE.write_text(BLOCK.sub(renewed, PAGE.read_text()))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main()
