"""差评申诉: a unit disputes a rating, another unit rules, and the ruling can be reversed."""
