"""A small storm, always the same: the long one is `make faults`."""

import pytest

from tests.faults.storm.run import report, run
from tests.faults.storm.world import NoApacheKafka

pytestmark = [
    pytest.mark.kafka,
    pytest.mark.rebalance,
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.xdist_group("stack"),
]

#: Two workers, Kafka parted from everybody, duplicates, poison, and three kills at once.
SEED, FAULTS = 639, 5


async def test_a_storm_loses_nothing_and_doubles_nothing(tmp_path):
    try:
        outcome = await run(tmp_path, seed=SEED, seconds=120, people=4, most_faults=FAULTS)
    except NoApacheKafka as error:
        pytest.skip(str(error))
    assert outcome.findings.count == 0, report(outcome)
    assert outcome.faults.total() == FAULTS
    assert len(outcome.diary.matters) > 20, report(outcome)
    assert outcome.diary.retries > 0, "the faults did not happen: nobody had to try again"
