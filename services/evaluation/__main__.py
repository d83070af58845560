"""Commands of the evaluation service."""

from servicekit.process import run_command
from services.evaluation.definition import SERVICE

if __name__ == "__main__":
    run_command(SERVICE)
