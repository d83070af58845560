"""需求匹配: searches without results, wishes and refused requests, listed by month."""
