"""What is near, and open now."""
