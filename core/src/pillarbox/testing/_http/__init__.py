"""What the fakes of the providers' HTTP interfaces share: a server, faults, and what is remembered of requests."""
