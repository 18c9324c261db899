"""Keeping what a site is: copies of it, and bringing one back."""
