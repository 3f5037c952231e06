"""What nobody has verified of the real services, as questions that a test asks them."""
