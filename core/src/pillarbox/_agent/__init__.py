"""The worker at a user's own computer: its token, what it says to the company's server, and the outbox that it sees of it."""
