"""What may be rated: services of cases, opened by the events of requests."""
