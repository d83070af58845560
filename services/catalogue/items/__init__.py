"""Items (事项): written by an editor, published by an approver, kept in immutable versions."""
