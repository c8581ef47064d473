"""What watches the stack."""
