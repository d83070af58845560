"""The whole of Yichuang on one machine, from nothing: PostgreSQL, Kafka and every process."""
