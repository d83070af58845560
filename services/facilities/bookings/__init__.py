"""预约: places in slots of counters and rooms, held, confirmed, waited for and used."""
