"""Policies compared on real data sets: each a pipeline of four files as `airloop pipelines new` writes them."""
