#!/usr/bin/env python3
"""Runs the commands that a page shows and writes what they print below them.

  scripts/page.py PAGE PROGRAM DATA          every command
  scripts/page.py PAGE PROGRAM DATA WORD     those that contain WORD

PAGE is docs/predictors.md (a quarter of an hour, most of it the neural models), docs/oneshot.md,
docs/mapper.md, docs/recommend.md or docs/scores.md (minutes). PROGRAM is cosearch; DATA is the
folder of reference data, which pages call $DATA. Run it from the top of the repository, where the
pages' relative paths start. The page is written after each command. Times are those of the machine
it runs on.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

BLOCK = re.compile(r"```console\n\$ ((?:cosearch|scripts/).*?[^\\])\n(.*?)```\n", re.DOTALL)


def run(program, data, command):
    """What the command prints; notices and progress stay on the terminal."""
    quiet = {"OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
             "PATH": f"{Path(program).resolve().parent}:{os.environ['PATH']}"}
    words = command.replace("\\\n", " ").replace("$DATA", data).split()
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True,
                          env=os.environ | quiet)
    return "".join(line.rstrip() + "\n" for line in done.stdout.splitlines())


def main():
    page, program, data, *word = sys.argv[1:]
    page = Path(page)
    commands = [match.group(1) for match in BLOCK.finditer(page.read_text())]
    chosen = [command for command in commands if not word or word[0] in command]
    if not chosen:
        sys.exit(f"{page}: no command" + (f" contains '{word[0]}'" if word else ""))
    for command in chosen:
        print(command, file=sys.stderr)
        block = f"```console\n$ {command}\n{run(program, data, command)}```\n"
        page.write_text(BLOCK.sub(
            lambda match: block if match.group(1) == command else match.group(0),
            page.read_text()))


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main()
