"""Write what the guard rails compare with: ``python -m tests.guards.freeze``, where a change is meant."""

import json
import pathlib
import subprocess
import sys

from tests.guards import surface

FROZEN = pathlib.Path(__file__).with_name("frozen")
ROOT = pathlib.Path(__file__).parents[2]


def read(name):
    """Return what was frozen under a name."""
    return json.loads((FROZEN / f"{name}.json").read_text(encoding="utf-8"))


def measure():
    """Return what the models do now, measured by a process of its own."""
    command = [sys.executable, "-m", "tests.guards.measure"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def main():
    contents = {"models": measure(), "help": surface.helps(), "names": surface.public_names()}
    for name, content in contents.items():
        (FROZEN / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
