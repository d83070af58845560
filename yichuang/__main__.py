"""python -m yichuang: the command line for operators."""

from yichuang.cli import app

if __name__ == "__main__":
    app(prog_name="yichuang")
