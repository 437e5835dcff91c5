#!/usr/bin/python3
"""Keeps the README's output true: runs the command named in its marker and replaces what stands there.

    scripts/readme_front.py COSEARCH [--check]

COSEARCH is the program. With --check nothing is written; the exit code is 1 when the README would change.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"(<!-- begin: cosearch (.*?) -->\n).*?(<!-- end -->)", re.DOTALL)


def output_of(program: str, arguments: str) -> str:
    """What the program prints; its files go to a temporary folder under the names given."""
    with tempfile.TemporaryDirectory() as folder:
        # Not what the quickstart may have left here under the name of an output.
        words = [str(ROOT / word) if word.startswith("examples/") else word for word in arguments.split()]
        result = subprocess.run([program, "--quiet", *words], cwd=folder, check=True,
                                capture_output=True, text=True)
    return result.stdout


def main() -> int:
    if len(sys.argv) not in (2, 3) or sys.argv[2:] not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    program = str(pathlib.Path(sys.argv[1]).resolve())
    readme = ROOT / "README.md"
    old = readme.read_text(encoding="utf-8")

    def fresh(match: re.Match) -> str:
        begin, arguments, end = match.groups()
        return f"{begin}```text\n$ cosearch {arguments}\n{output_of(program, arguments)}```\n{end}"

    new = BLOCK.sub(fresh, old)
    if new == old:
        return 0
    if len(sys.argv) == 3:
        print("README.md does not show what the program prints; run scripts/readme_front.py", file=sys.stderr)
        return 1
    readme.write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
