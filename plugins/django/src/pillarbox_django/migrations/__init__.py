"""The tables, step by step, as Django writes them."""
