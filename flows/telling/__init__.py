"""What is said to people and to other systems."""
