"""`yichuang`: the command line for operators, on top of every service."""
