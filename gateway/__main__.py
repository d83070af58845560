"""`python -m gateway api|migrate|rotate-keys`."""

from gateway.definition import SERVICE
from servicekit.process import run_command

if __name__ == "__main__":
    run_command(SERVICE)
