#!/usr/bin/env python3
"""Runs the commands that a page shows and writes what they print below them.

  scripts/page.py PAGE PROGRAM DATA          every command
  scripts/page.py PAGE PROGRAM DATA WORD     those that contain WORD

PAGE is docs/predictors.md (an hour, most of it the neural models) or docs/recommend.md (minutes).
PROGRAM is cosearch; DATA is what the page calls $DATA: the folder of nb201_accuracy.csv.gz,
nb201_zerocost.csv.gz and nb201_latency_ms.csv.gz. Run it from the top of the repository, where the
pages' relative paths start. Times are those of the machine it runs on.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

BLOCK = re.compile(r"```console\n\$ (cosearch .*?[^\\])\n(.*?)```\n", re.DOTALL)


def run(program, data, command):
    words = command.replace("\\\n", " ").replace("$DATA", data).split()
    quiet = {"OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([program, "--quiet", *words[1:]], stdout=subprocess.PIPE, text=True,
                          check=True, env=os.environ | quiet)
    return "\n".join(line.rstrip() for line in done.stdout.splitlines()) + "\n"


def main():
    page, program, data, *word = sys.argv[1:]
    page = Path(page)

    def renewed(match):
        command = match.group(1)
        if word and word[0] not in command:
            return match.group(0)
        print(command, file=sys.stderr)
        return f"```console\n$ {command}\n{run(program, data, command)}```\n"

    page.write_text(BLOCK.sub(renewed, page.read_text()))


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main()
