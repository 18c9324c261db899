"""What a signal says, and whether it is more than usual."""
