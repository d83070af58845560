"""Run as a program: which modules each service loads, told as JSON.

Each is imported in a fork of an interpreter that has loaded the libraries and no service, so that
they are loaded once and the services apart.
"""

import json
import os
import sys
import traceback
from importlib import import_module


def loaded_in_a_fork(package: str) -> list[str]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            import_module(f"{package}.definition")
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
    json.dump({package: loaded_in_a_fork(package) for package in sys.argv[1:]}, sys.stdout)
