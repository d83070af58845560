"""What a browser sees: the front page, the documentation, the merged OpenAPI document."""
