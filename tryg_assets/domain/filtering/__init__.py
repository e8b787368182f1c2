"""The cleaning step: one verdict and one reason per hit page."""
