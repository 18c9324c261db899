"""What comes in: feeds, files, pushes, messages."""
