"""What runs a model; the only room that imports a model library, and only when one is loaded."""
