"""Models: which there are, where their files lie, what the files say of themselves."""
