"""How good a model is here: holes are cut into files, completed, and compared with what stood there."""
