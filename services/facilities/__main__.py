"""`python -m services.facilities api|worker|migrate|seed`."""

from servicekit.process import run_command
from services.facilities.definition import SERVICE

if __name__ == "__main__":
    run_command(SERVICE)
