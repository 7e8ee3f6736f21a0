"""What benches start."""
