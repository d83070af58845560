"""`python -m services.catalogue api|worker|migrate|seed|rebuild`."""

from servicekit.process import run_command
from services.catalogue.definition import SERVICE

if __name__ == "__main__":
    run_command(SERVICE)
