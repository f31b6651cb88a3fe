"""Runs the README's programs unchanged, on photo.jpg and photos/ in the working directory: quick_start.py README."""

import re
import sys
from pathlib import Path

programs = re.findall(r"```python\n(.*?)```", Path(sys.argv[1]).read_text(), re.DOTALL)
for program in programs:
    # A list of options is not a program.
    if "import" in program:
        exec(compile(program, sys.argv[1], "exec"), {"__name__": "__main__"})
