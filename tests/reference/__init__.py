"""The pages of public names under docs/reference, each written from the code that has the names."""
