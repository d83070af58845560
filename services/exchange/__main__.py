"""`python -m services.exchange api|worker|migrate`."""

from servicekit.process import run_command
from services.exchange.definition import SERVICE

if __name__ == "__main__":
    run_command(SERVICE)
