"""A storm: random faults under load for a bounded time, then an audit of everything.

`python -m tests.faults.storm --seconds 180 --seed 7`; the same seed brings the same faults in the
same order. What a fault meets depends on the machine, so a finding may need several runs.
"""
