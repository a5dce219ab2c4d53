"""The reference pages that follow from the code: `make reference` writes them, tests hold them."""
