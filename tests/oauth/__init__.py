"""The sign-in by OAuth against a certified provider, by a browser that somebody sits before."""
