"""Plans and outcomes as rows, and rows as text and documents: pure functions, no I/O."""
