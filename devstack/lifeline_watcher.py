"""The watcher of `devstack.lifeline`: a script on the standard library alone, so it starts in 20 ms.

Standard input carries `+pid signal` and `-pid` lines; its end means that the parent is gone.
"""

import os
import signal
import sys
import time

GRACE_SECONDS = 5.0
POLL_SECONDS = 0.02


def _send(group: int, number: int) -> bool:
    """Signal a process group; whether any process is left in it."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def main() -> None:
    """Keep the list until the pipe ends, then stop what is on it: politely, then not."""
    signals: dict[int, int] = {}
    for line in sys.stdin:
        pid, *number = (int(word) for word in line[1:].split())
        if line[0] == "+":
            signals[pid] = number[0]
        else:
            signals.pop(pid, None)
    groups = {group for group, number in signals.items() if _send(group, number)}
    for group in groups:
        _send(group, signal.SIGCONT)  # a suspended process cannot hear SIGTERM
    deadline = time.monotonic() + GRACE_SECONDS
    while groups and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
        groups = {group for group in groups if _send(group, 0)}
    for group in groups:
        _send(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
