"""评价渠道 and 满意度 as other platforms number them."""
