"""`python -m tests.faults.storm`: exit 1 when anything was lost, doubled or left over."""

import argparse
import asyncio
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from tests.faults.storm.run import report, run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--people", type=int, default=8)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(100_000))
    parser.add_argument("--keep", action="store_true", help="leave logs and data")
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="storm-"))
    print(f"seed {arguments.seed}, state and logs in {directory}")
    outcome = asyncio.run(
        run(
            directory,
            seed=arguments.seed,
            seconds=arguments.seconds,
            people=arguments.people,
        )
    )
    print(f"\n{report(outcome)}")
    if outcome.findings.count:
        sys.exit(1)
    if not arguments.keep:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
