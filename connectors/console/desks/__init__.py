"""The ports of the response work, one for each kind of it; `flows.office` implements them."""
