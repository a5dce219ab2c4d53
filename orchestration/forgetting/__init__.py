"""Forgetting: a person is erased from every store, and a proof looks for them in each."""
