"""python -m services.requests api|worker|migrate|seed|rebuild|rotate-keys."""

from servicekit.process import run_command
from services.requests.definition import SERVICE

if __name__ == "__main__":
    run_command(SERVICE)
