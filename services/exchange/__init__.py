"""What crosses the border: notices to residents now; other platforms, receipts and webhooks later."""
