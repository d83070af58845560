"""Purchases (政府购买服务): what may be bought for villages, and each project's life."""
