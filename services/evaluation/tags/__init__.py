"""评价标签: the national tags a rating may carry."""
