"""What to ask and what to show: pure values and functions, no threads, no I/O."""
