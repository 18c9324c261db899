"""Our own publications, read again."""
