"""材料: files handed in, stored encrypted, taken over from earlier cases, opened by link."""
