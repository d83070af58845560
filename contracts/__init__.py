"""The published language of 一窗: events, topics and shared value types. Imports nothing of ours."""
