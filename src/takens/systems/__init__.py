"""Laws of motion from equations: what they are, what is known about them, and how they move."""
