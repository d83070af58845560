"""Run as a program: which modules the processes of each service load, told as JSON.

Each is imported in a fork of an interpreter that has loaded the libraries and no service, so that
they are loaded once and the services apart.
"""

import json
import os
import sys
import traceback
from importlib import import_module
from importlib.util import find_spec

#: Beside the definition: what the API loads, and what the worker and the commands beside it load.
PROCESSES = {"api": ("app",), "worker": ("worker", "projections", "seed", "seeds")}


def loaded_in_a_fork(package: str, parts: tuple[str, ...]) -> list[str]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            for part in ("definition", *parts):
                if find_spec(f"{package}.{part}"):
                    import_module(f"{package}.{part}")
            answer = json.dumps(sorted(sys.modules))
        except BaseException:  # noqa: BLE001 - told to the parent
            answer = json.dumps([traceback.format_exc()])
        with os.fdopen(writing, "w") as pipe:
            pipe.write(answer)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        modules: list[str] = json.load(pipe)
    os.waitpid(child, 0)
    return modules


if __name__ == "__main__":
    import_module("servicekit.process")
    loaded = {
        package: {name: loaded_in_a_fork(package, parts) for name, parts in PROCESSES.items()}
        for package in sys.argv[1:]
    }
    json.dump(loaded, sys.stdout)
