"""python -m tests.servicekit.sample api|worker|migrate|seed|rebuild|rotate-keys."""

from servicekit.process import run_command
from tests.servicekit.sample.definition import SERVICE

if __name__ == "__main__":
    run_command(SERVICE)
