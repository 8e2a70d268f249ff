"""The only room with a thread: it owns the model, and decides which request gets it."""
